"""A double of OSV's API, on loopback: batches of questions, by pages, and single vulnerabilities."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Osv:
    """What the double knows, and what it was asked."""

    def __init__(self) -> None:
        self.by_package: dict[str, list[str]] = {}
        """Names of vulnerabilities, by the name of the package."""
        self.vulnerabilities: dict[str, dict[str, Any]] = {}
        self.page = 1000
        """Vulnerabilities of a package on one page."""
        self.status = 200
        self.body: bytes | None = None
        """Answered instead, to whatever is asked."""
        self.silent = False
        """Says nothing, as long as it is served."""
        self.queries: list[dict[str, Any]] = []
        self.address = ""

    def know(self, package: str, name: str, **details: object) -> None:
        """Add a vulnerability of a package."""
        self.by_package.setdefault(package, []).append(name)
        self.vulnerabilities[name] = {"id": name, **details}

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """Answer one question of a batch."""
        names = self.by_package.get(query["package"]["name"], [])
        start = int(query.get("page_token", 0))
        page, rest = names[start : start + self.page], names[start + self.page :]
        more = {"next_page_token": str(start + self.page)} if rest else {}
        return ({"vulns": [{"id": name} for name in page]} if page else {}) | more


@contextmanager
def serve_osv() -> Iterator[Osv]:
    """Serve it on a free port."""
    osv = Osv()
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            osv.queries += queries
            self.reply({"results": [osv.answer(query) for query in queries]})

        def do_GET(self) -> None:
            self.reply(osv.vulnerabilities.get(self.path.removeprefix("/v1/vulns/")))

        def reply(self, content: object) -> None:
            if osv.silent:
                ended.wait()
                return
            body = json.dumps(content).encode() if osv.body is None else osv.body
            self.send_response(404 if content is None else osv.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    osv.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield osv
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
