"""A proxy that records what it is asked for, and leads nowhere."""

import contextlib
import http.server
import threading
from collections.abc import Iterator

VARIABLES = (*("http_proxy", "https_proxy", "all_proxy"), *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"))


class ProxyDouble:
    """Serves in a thread; every request gets 502."""

    def __init__(self) -> None:
        """Listen on a free port of loopback."""
        asked = self.asked = list[str]()

        class Handler(http.server.BaseHTTPRequestHandler):
            def parse_request(self) -> bool:
                if super().parse_request():  # whatever its method
                    asked.append(f"{self.command} {self.path}")
                    self.send_error(502)
                return False

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.variables = dict.fromkeys(VARIABLES, self.url)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def proxy_double() -> Iterator[ProxyDouble]:
    """Run a proxy for as long as the block runs."""
    proxy = ProxyDouble()
    try:
        yield proxy
    finally:
        proxy.close()
