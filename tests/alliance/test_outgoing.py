"""Calls to servers that somebody else named: no way inside, and a hard end to everything."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from alliance import outgoing
from tests.receiver import Receiver, receiver, server

__all__ = ["receiver", "server"]  # fixtures


def test_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = receiver.says(302, Location=receiver.url + "&again")

    reply = post(receiver)

    assert (reply.status, len(receiver.requests)) == (302, 1)


def test_huge_answer_is_not_read(receiver: Receiver) -> None:
    receiver.answer = receiver.says(200, b"x" * 1_000_000)

    assert post(receiver).problem == "too-big"


def test_answer_that_drips_ends_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing.Strangers, "SECONDS", 0.5)
    enough = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not enough.wait(0.1):
            handler.wfile.write(b".")
            handler.wfile.flush()

    receiver.answer = drip
    began = time.monotonic()

    assert post(receiver).problem == "too-slow"
    assert time.monotonic() - began < 1
    enough.set()


def test_certificate_of_another_name_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "resolve", lambda host, port: ["127.0.0.1"])

    reply = outgoing.Strangers(ports=frozenset({receiver.port})).post(
        f"https://other.example:{receiver.port}/", b"{}", {}
    )

    assert reply.problem == "no-connection"
    assert not receiver.requests


def post(receiver: Receiver) -> outgoing.Reply:
    return outgoing.Strangers(ports=frozenset({receiver.port})).post(receiver.url, b"{}", {})


# --- no way inside ----------------------------------------------------------------------------------------------------

INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - not to listen on
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::1",
    "::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001::1",
    "2001:db8::1",
    "100::1",
    "nonsense",
]


@pytest.mark.parametrize("address", INSIDE)
def test_address_inside_is_not_public(address: str) -> None:
    assert not outgoing.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_address_of_the_internet_is_public(address: str) -> None:
    assert outgoing.is_public(address)
    assert ipaddress.ip_address(address).is_global


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/", "ftp://a.example/", "file:///etc/passwd", "https://127.0.0.1/", "https://2130706433/",
        "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
        "https://localhost/", "https://intranet/", "https://a.example:22/", "https://user:pw@a.example/",
        "https://a.example@127.0.0.1/", "https://a.example/#x", "https://", "https://a.example\\@b.example/",
        "https://a..example/", "https://a.example:99999/", "https://\u2460.example/", "https://a.example/\r\nX: y",
        "https://10.0.0.1.", "https://1.2.3.4.5/",
    ],
)  # fmt: skip
def test_address_that_is_none_is_not_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "resolve", lambda host, port: pytest.fail("looked up"))

    assert outgoing.Strangers().post(url, b"{}", {}).problem


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:8.8.8.8"], []])
def test_name_that_leads_inside_is_not_called(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "resolve", lambda host, port: found)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("connected"))

    assert outgoing.Strangers().post("https://a.example/", b"{}", {}).problem == "not-public"


def test_name_that_changes_between_is_looked_up_once_and_the_address_that_was_checked_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, *args: object, **kwargs: object) -> Any:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, receiver.port))]

    connected: list[Any] = []

    def connect(address: Any, *args: Any, **kwargs: Any) -> Any:
        connected.append(address)
        raise OSError("not in a test")

    monkeypatch.undo()
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connect)

    reply = outgoing.Strangers().post("https://rebind.example/", b"{}", {})

    assert reply.problem == "no-connection"
    assert asked == ["rebind.example"]
    assert [address[0] for address in connected] == ["93.184.216.34"]
    assert not receiver.requests


def test_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert post(receiver).status == 204
