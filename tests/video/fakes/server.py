"""What all fakes share: a server in a thread, everything that was said, and faults."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Exchange:
    """One request and its answer. is_real: the answer is one that the platform itself could give."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: bytes = b""
    is_real: bool = True


@dataclass
class Fault:
    """Trouble with the next calls that fit.

    call: pattern of "METHOD /path". times: how often. stores: the fake does what it was asked before it goes wrong.
    drops: the connection ends without an answer. hangs: seconds before the answer. size: bytes of a huge answer.
    """

    call: str
    times: int = 1
    stores: bool = False
    drops: bool = False
    hangs: float = 0.0
    size: int = 0
    status: int = 500
    data: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"


@dataclass
class Reply:
    """An answer of a fake."""

    status: int
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        if self.data is None:
            return b""
        return self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()


class Fake:
    """A platform. A subclass says in reply() what it answers."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                """As ever, but who hangs up is no news."""
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _any(self) -> None:
                fake._handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def calls(self, pattern: str) -> list[Exchange]:
        """The exchanges whose "METHOD /path" fits."""
        return [one for one in self.exchanges if re.search(pattern, f"{one.method} {one.path}")]

    def reply(self, exchange: Exchange) -> Reply:
        """What the platform answers."""
        raise NotImplementedError

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        exchange = Exchange(handler.command, parts.path, query, headers, body)
        with self.lock:
            self.exchanges.append(exchange)
            fault = next((f for f in self.faults if re.search(f.call, f"{exchange.method} {exchange.path}")), None)
            if fault is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            reply = self.reply(exchange) if fault is None or fault.stores else None
        if fault is not None:
            exchange.is_real = False
            time.sleep(fault.hangs)
            if fault.drops:
                handler.close_connection = True
                return
            if reply is None or not fault.hangs:
                data = b"x" * fault.size if fault.size else fault.data
                reply = Reply(fault.status, data, fault.headers, fault.kind)
        assert reply is not None
        exchange.status, exchange.answer = reply.status, reply.raw
        handler.send_response(reply.status)
        if reply.raw:
            handler.send_header("content-type", reply.kind)
        handler.send_header("content-length", str(len(reply.raw)))
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.raw)
