"""The registry, the fixed address and what it refuses."""

from __future__ import annotations

import inspect
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from video import adapters
from video.adapters import base, errors, static
from video.models import Meeting, Platform

NOW = datetime(2030, 7, 2, 9, 0, tzinfo=UTC)
SPEC = base.SessionSpec(title="Opening", starts_at=NOW, ends_at=NOW, time_zone="Europe/Vienna")
ADA = base.Attendee(public_id=uuid.UUID(int=1), display_name="canary-name", email="canary@mail.example")
SECRET = "https://meet.provider.example/canary-room?pwd=canary-word"


def test_adapter_for_a_platform_without_one_asks_for_an_operator() -> None:
    with pytest.raises(errors.OperatorActionNeeded) as caught:
        adapters.adapter_for("elsewhere")

    assert "not connected" in str(caught.value.message)
    assert set(adapters.ADAPTERS) == set(Platform.values)


def test_every_adapter_has_every_operation_with_the_same_signature() -> None:
    wanted = {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(base.Adapter, inspect.isfunction)
        if not name.startswith("_")
    }

    for adapter in adapters.ADAPTERS.values():
        assert {name: inspect.signature(getattr(adapter, name)) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("operation", "arguments", "named"),
    [
        ("create_session", (SPEC,), {"key": "k"}),
        ("update", (SPEC,), {}),
        ("cancel", (), {}),
        ("find_session", (), {"key": "k"}),
        ("add_registrant", (ADA,), {}),
        ("find_registrant", (), {"email": "a@mail.example"}),
        ("set_status", (["1"], base.RegistrantAction.DENY), {}),
        ("remove", ("1",), {}),
        ("attendance", (), {}),
    ],
)
def test_static_link_has_nothing_but_the_link(
    operation: str, arguments: tuple[Any, ...], named: dict[str, str]
) -> None:
    with pytest.raises(errors.Unsupported):
        getattr(static.StaticLink(None), operation)(Meeting(address=SECRET), *arguments, **named)


def test_static_link_rejects_every_webhook() -> None:
    assert static.StaticLink(None).parse_webhook({}, b"{}", now=NOW) == base.WebhookRejected("no_webhooks")


def test_static_link_join_url_is_the_address_as_configured() -> None:
    meeting = Meeting(address=SECRET, allowed_hosts=["MEET.provider.example"])

    assert static.StaticLink(None).join_url(meeting, ADA, now=NOW) == SECRET


def test_static_link_join_url_outside_the_list_is_refused() -> None:
    meeting = Meeting(address=SECRET, allowed_hosts=["other.example"])

    with pytest.raises(static.UnsafeAddress) as caught:
        static.StaticLink(None).join_url(meeting, ADA, now=NOW)

    assert "canary" not in f"{caught.value!r}{caught.value}{caught.value.message}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "meet.example/room",
        "//meet.example/room",
        "http://meet.example/room",
        "http://127.0.0.1/room",  # neither demo nor debug
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://meet.example/room",
        "https://",
        "https:///room",
        "https:meet.example",
        "https://user@meet.example/room",
        "https://user:word@meet.example/room",
        "https://meet.example@evil.example/room",
        "https://@meet.example/room",
        "https://meet.example\\@evil.example/room",
        "https://meet.example/ro om",
        "https://meet.example/room\n",
        "https://meet.example/\r\nSet-Cookie: a=b",
        "https://meet.example/\x00",
        "https://meet\t.example/room",
        "https://meet.example/\u2028",
        "https://meet.example/\u202eroom",
        "https://ｍeet.example/room",
        "https://mееt.example/room",
        "https://meet.example%2f@evil.example/",
        "https://meet_.example/room",
        "https://-meet.example/room",
        "https://[::1/room",
        "https://[fe80::1]/room",
        "https://meet.example:0/room",
        "https://meet.example:99999/room",
        "https://meet.example:room/",
        "https://meet.example/" + "a" * 2000,
    ],
)
def test_address_host_of_an_unsafe_address_is_refused(address: str, settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False

    with pytest.raises(static.UnsafeAddress):
        static.address_host(address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://us02web.zoom.example/j/123?pwd=a.b-c", "us02web.zoom.example"),
        ("https://Meet.Example:8443/комната", "meet.example"),
        ("https://meet.example./room", "meet.example"),
        ("HTTPS://meet.example/room#config.x=true", "meet.example"),
        ("https://xn--mt-ebza.example/", "xn--mt-ebza.example"),
    ],
)
def test_address_host_of_a_good_address(address: str, host: str) -> None:
    assert static.address_host(address) == host


@pytest.mark.parametrize("address", ["http://127.0.0.1:9000/room", "http://localhost/room", "http://[::1]:9000/room"])
@pytest.mark.parametrize("flag", ["DEMO", "DEBUG"])
def test_address_host_plain_http_is_for_the_loopback_of_a_demo(address: str, flag: str, settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    setattr(settings, flag, True)

    assert static.address_host(address) in {"127.0.0.1", "localhost", "::1"}
    with pytest.raises(static.UnsafeAddress):
        static.address_host("http://meet.example/room")


def test_nothing_the_adapters_exchange_shows_a_secret_in_its_repr() -> None:
    things = [
        ADA,
        base.RemoteSession("1", address=SECRET, host_address=SECRET, passcode="canary-word"),
        base.RemoteRegistrant("1", base.RegistrantStatus.APPROVED, join_url=SECRET),
        base.WebhookChallenge(body=b"canary"),
    ]

    assert "canary" not in repr(things)


def test_only_what_may_pass_by_itself_is_retried() -> None:
    retried = {error for error in errors.VideoError.__subclasses__() if error.is_retryable}

    assert retried == {errors.RateLimited, errors.Unavailable, errors.OutcomeUnknown}
    assert len({error.code for error in errors.VideoError.__subclasses__()}) == len(errors.VideoError.__subclasses__())
