"""Reports fetched by IMAP from a server in this process, with the library that everybody has."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured

from outbox import bounce_imap, bounces
from outbox.bounces import Bounce, Kind
from tests.factories import NOW
from tests.outbox.conftest import row
from tests.outbox.imap_server import ImapServer
from tests.outbox.test_bounces import report, short

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Bounce]:
    """What listeners are told."""
    found: list[Bounce] = []
    monkeypatch.setattr(bounces, "_listeners", [found.append])
    return found


@pytest.fixture
def servers() -> Iterator[list[ImapServer]]:
    """Servers to be stopped."""
    made: list[ImapServer] = []
    yield made
    for server in made:
        server.close()


@pytest.mark.parametrize("has_uidplus", [True, False])
def test_reports_are_acted_upon_and_deleted_other_mail_stays(
    has_uidplus: bool, servers: list[ImapServer], told: list[Bounce], settings: Any
) -> None:
    message = row()
    ours, other = report(bounces.token(message, "ada@people.example")), b"Subject: Hello\r\n\r\nA letter.\r\n"
    server = ImapServer(ours, other, report("a" * 46), has_uidplus=has_uidplus)
    servers.append(server)
    settings.BOUNCE_MAILBOX = server.url()

    counts = [bounces.read_mailbox(now=NOW) for _again in range(2)]

    assert counts == [1, 0]
    assert short(told) == [(message.pk, Kind.HARD, "550 5.1.1")]
    assert [(mail.raw == other, mail.flags) for mail in server.mails.values()] == [
        (True, {r"\Seen"}),
        (False, {r"\Seen"}),
    ]


def test_broken_off_conversation_loses_nothing(servers: list[ImapServer], told: list[Bounce], settings: Any) -> None:
    message = row()
    server = ImapServer(report(bounces.token(message, "ada@people.example")))
    servers.append(server)
    settings.BOUNCE_MAILBOX = server.url()
    server.drops_after = 5  # after the mail was read, before it is deleted

    first = bounces.read_mailbox(now=NOW)
    server.drops_after = 1000
    second = bounces.read_mailbox(now=NOW)

    assert (first, second) == (0, 1)
    assert server.mails == {}
    assert {one.message.pk for one in told} == {message.pk}


def test_refused_or_absent_server_is_logged_without_names(
    servers: list[ImapServer], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = ImapServer(report())
    servers.append(server)
    with caplog.at_level(logging.ERROR):
        for url in (server.url(password="wrong-canary"), "imap://office:canary@127.0.0.1:9/INBOX"):
            settings.BOUNCE_MAILBOX = url
            assert bounces.read_mailbox(now=NOW) == 0

    assert len(caplog.records) == 2
    assert "canary" not in caplog.text
    assert "office" not in caplog.text


@pytest.mark.parametrize(
    "url",
    ["imaps://host/INBOX", "imaps://user@host/", "imaps://u:p@host:x/", 'imaps://u:p@host/a"b', "pop://u:p@host/"],
)
def test_address_that_is_none_is_refused_without_being_quoted(url: str, settings: Any) -> None:
    settings.BOUNCE_MAILBOX = url

    with pytest.raises(ImproperlyConfigured) as caught:
        bounces.read_mailbox(now=NOW)

    assert url not in str(caught.value)


def test_encryption_is_left_out_on_this_machine_only() -> None:
    found = bounce_imap.mailbox(urlsplit("imaps://a%40b.example:p%2Fw@mail.example"))

    assert (found.port, found.is_encrypted, found.user, found.password) == (993, True, "a@b.example", "p/w")
    assert found.folder == "INBOX"
    assert "p/w" not in repr(found)


def test_starttls_comes_before_the_password(servers: list[ImapServer], monkeypatch: pytest.MonkeyPatch) -> None:
    server = ImapServer()
    servers.append(server)
    monkeypatch.setattr(bounce_imap, "_LOOPBACK", frozenset())

    count = bounce_imap.read(bounce_imap.mailbox(urlsplit(server.url())), bool, most=1, most_bytes=1)

    assert count == 0
    assert not any(command.startswith("LOGIN") for command in server.commands)
