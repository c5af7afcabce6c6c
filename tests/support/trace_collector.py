"""A collector of traces: keeps what OTLP/HTTP exporters post to it."""

import gzip
import http.server
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MAX_BODY_BYTES = 50_000_000


class Collector:
    """Serves in a thread, until it is closed or the process ends."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; on a port that is free if none is given.

        Raises:
            OSError: the address is taken, or not this machine's.

        """
        bodies = self.bodies = list[bytes]()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers["Content-Length"]), MAX_BODY_BYTES))
                bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer((host, port), Handler)
        self.url = f"http://{host}:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop, and give the address back."""
        self._server.shutdown()
        self._server.server_close()

    def spans(self, trace_id: str) -> set[tuple[str, str]]:
        """List the spans of a trace that have come: the process that made each, and its name."""
        found = set()
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                spans = [span for scope in resource.scope_spans for span in scope.spans]
                found |= {(named["service.name"], s.name) for s in spans if s.trace_id.hex() == trace_id}
        return found
