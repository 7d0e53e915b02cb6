"""Calls to servers of others: a hard end to time and size, no redirects, and for strange addresses no way inside.

Exchange makes one request in a thread of its own, because nothing else ends a slow look-up of a name or an answer that
comes drop by drop. Strangers is for addresses that somebody typed in: the name is looked up once, every address it has
must be public, and the connection goes to the address that was looked at, so a name that changes in between reaches
nothing. Certificates and the Host header are those of the name.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2

CONNECT = 3.0  # seconds
# The library logs whole addresses, and some of ours hold names and signatures.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Exchange:
    """One request and its answer, made in a thread of its own. The caller reads the flags."""

    def __init__(
        self,
        method: str,
        url: str,
        request: Mapping[str, Any],
        *,
        seconds: float,
        most_bytes: int,
        connect: float = CONNECT,
        prepare: Callable[[], tuple[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        """prepare: called in the thread; the address to connect to, and further extensions of the request."""
        self.method, self.url, self.request = method, url, dict(request)
        self.seconds, self.connect, self.most_bytes, self.prepare = seconds, connect, most_bytes, prepare
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.raw = b""
        self.has_left = self.failed = self.gave_up = self.is_too_big = self.is_late = False
        self.refused: Refused | None = None

    def carry_out(self, name: str) -> bool:
        """Make it, for `seconds` at most; False when it did not end in time. name: of the thread."""
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        thread.start()
        thread.join(self.seconds)
        if thread.is_alive() or self.failed:
            self.gave_up = True
        return not thread.is_alive()

    def _run(self) -> None:
        """Fill in what came back. Never raises."""
        timeout = httpx2.Timeout(self.seconds, connect=min(self.connect, self.seconds))
        try:
            url, extensions = self.prepare() if self.prepare else (self.url, {})
            if self.gave_up:
                return
            # No proxy and no password from the environment: what leaves is what stands here.
            with (
                httpx2.Client(verify=tls(), timeout=timeout, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    self.method, url, extensions={"trace": self._trace, **extensions}, **self.request
                ) as response,
            ):
                self.status, self.headers = response.status_code, response.headers
                self._read(response)
        except Refused as refusal:
            self.refused, self.failed = refusal, True
        except httpx2.TimeoutException:
            self.failed = self.is_late = True
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError):
            self.failed = True

    def _trace(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.has_left = True

    def _read(self, response: httpx2.Response) -> None:
        parts, size = [], 0
        for part in response.iter_raw():
            size += len(part)
            if size > self.most_bytes or self.gave_up:
                self.is_too_big = True
                return
            parts.append(part)
        self.raw = b"".join(parts)


@cache
def tls() -> ssl.SSLContext:
    """The certificates we trust: those of the machine. Read once, it takes longer than many a call."""
    return ssl.create_default_context()


# --- addresses that strangers typed in --------------------------------------------------------------------------------


class Refused(Exception):
    """This address is not called. reason: a code, for logs and for people's words about it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


# Addresses that Python calls global and that lead elsewhere than they say: translated and tunnelled ones, which may
# lead inside. The metadata services of clouds are link-local, unique-local or 100.64/10, which are not global.
_TUNNELS = tuple(
    ipaddress.ip_network(net)
    for net in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "fec0::/10",
        "::/96",
    )
)
_METADATA = frozenset({"168.63.129.16"})  # a public address that one cloud answers from inside


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, and to one machine there."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return False  # no name server has a reason to say so
    if any(found.version == net.version and found in net for net in _TUNNELS) or str(found) in _METADATA:
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback or found.is_link_local
    )


def check_address(url: str, *, ports: frozenset[int] = frozenset({443})) -> tuple[str, int]:
    """Host and port of an address that may be called: https, a name and not a number, no password, a known port.

    Looks nothing up. Raises Refused.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        wire = host.encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        raise Refused("unreadable") from None
    if parts.scheme != "https" or any(sign <= " " or sign in '\\"<>' for sign in url) or not url.isascii():
        raise Refused("not-https" if parts.scheme != "https" else "unreadable")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refused("unreadable")
    if port not in ports:
        raise Refused("port")
    labels = wire.rstrip(".").split(".")
    # A last label of digits is a number in disguise: 2130706433, 0x7f.1, 017700000001.
    if len(labels) < 2 or not all(labels) or labels[-1][0].isdigit() or ":" in wire:
        raise Refused("name")
    return wire.rstrip("."), port


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a name, in the order of the resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a stranger's server answered. status 0: nothing; problem: why, as a code ("" when it answered)."""

    status: int
    problem: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Strangers:
    """Posts to servers that somebody else named."""

    SECONDS, CONNECT, MOST_BYTES = 10.0, 5.0, 65_536

    def __init__(self, *, ports: frozenset[int] = frozenset({443})) -> None:
        self.ports = ports

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a body. Never raises; the answer's own body is read up to 64 kB and forgotten."""
        try:
            host, port = check_address(url, ports=self.ports)
        except Refused as refusal:
            return Reply(0, refusal.reason)
        shown = host if port == 443 else f"{host}:{port}"

        def prepare() -> tuple[str, Mapping[str, Any]]:
            try:
                found = resolve(host, port)
            except OSError:
                raise Refused("unknown-name") from None
            if not found or not all(is_public(one) for one in found):
                raise Refused("not-public")
            target = f"[{found[0]}]" if ":" in found[0] else found[0]
            path = urlsplit(url)._replace(scheme="https", netloc=f"{target}:{port}").geturl()
            return path, {"sni_hostname": host}

        wanted = {"host": shown, "accept-encoding": "identity", "user-agent": "Alliance-Webhooks/1", **headers}
        exchange = Exchange(
            "POST",
            url,
            {"content": body, "headers": wanted},
            seconds=self.SECONDS,
            connect=self.CONNECT,
            most_bytes=self.MOST_BYTES,
            prepare=prepare,
        )
        ended = exchange.carry_out("webhook-call")
        if exchange.refused is not None:
            return Reply(0, exchange.refused.reason)
        if not ended or exchange.is_late:
            return Reply(0, "too-slow")
        if exchange.failed:
            return Reply(0, "no-connection" if not exchange.has_left else "broken-off")
        if exchange.is_too_big:
            return Reply(exchange.status, "too-big", exchange.headers)
        return Reply(exchange.status, "", exchange.headers)
