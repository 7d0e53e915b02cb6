"""Mails that come back: reports of real mail servers' forms, read from a Maildir that a real mail server fills."""

from __future__ import annotations

from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from outbox import bounces, postman
from outbox.bounces import Bounce, Kind
from outbox.delivery import drain
from outbox.results import Mail
from tests.factories import NOW
from tests.outbox.conftest import Handler, address, queued, row, unsaved
from tests.services import SmtpSink

REPORT = """\
From: MAILER-DAEMON@relay.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered to ada@people.example.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
Arrival-Date: Tue, 2 Jul 2030 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; ada@people.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--=_b
Content-Type: {original_type}

From: Conference office <no-reply@conference.example>
{header}
Subject: Your registration

--=_b--
"""


def report(token: str = "", **more: str) -> bytes:
    """A report as Postfix writes it."""
    values = {
        "to": "bounces@conference.example", "action": "failed", "status": "5.1.1",
        "diagnostic": "550 5.1.1 <ada@people.example>: Recipient address rejected: User unknown",
        "original_type": "text/rfc822-headers", "header": f"X-Delivery-Id: {token}",
    }  # fmt: skip
    return REPORT.format(**(values | more)).replace("\n", "\r\n").encode()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Bounce]:
    """What listeners are told."""
    found: list[Bounce] = []
    monkeypatch.setattr(bounces, "_listeners", [found.append])
    return found


def short(found: list[Bounce]) -> list[tuple[int, Kind, str]]:
    return [(bounce.message.pk, bounce.kind, bounce.code) for bounce in found]


@pytest.mark.django_db
@pytest.mark.parametrize("original_type", ["text/rfc822-headers", "message/rfc822", "message/global-headers"])
def test_report_names_its_message_by_the_header_it_quotes(original_type: str, told: list[Bounce]) -> None:
    message = row()
    raw = report(bounces.token(message, "ada@people.example"), original_type=original_type)

    assert bounces.take(raw, now=NOW)

    assert short(told) == [(message.pk, Kind.HARD, "550 5.1.1")]
    assert told[0].mark == bounces.mark("Ada@people.example")


@pytest.mark.django_db
def test_report_names_its_message_by_the_address_it_came_to(told: list[Bounce], settings: Any) -> None:
    settings.BOUNCE_ADDRESS = "bounces@conference.example"
    message = row()
    to = bounces.envelope_sender(message, "ada@people.example")

    assert len(to.partition("@")[0]) <= 64
    assert bounces.take(report(to=to.upper(), header="X-Other: 1"), now=NOW)
    assert short(told) == [(message.pk, Kind.HARD, "550 5.1.1")]


@pytest.mark.django_db
def test_forged_reports_flag_nobody(told: list[Bounce]) -> None:
    message, other = row(), row()
    token = bounces.token(message, "ada@people.example")
    swapped = bounces.token(other, "ada@people.example")[:26] + token[26:]
    unknown = bounces.token(unsaved(), "ada@people.example")

    for forged in ("", token[:-1], token[:-1] + ("a" if token[-1] != "a" else "b"), swapped, "a" * 46, unknown):
        assert not bounces.take(report(forged), now=NOW)

    assert told == []


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind", "code"),
    [
        ("failed", "5.1.1", "550 5.1.1 no such user", Kind.HARD, "550 5.1.1"),
        ("Failed", "5.0.0", "", Kind.HARD, "5.0.0"),
        ("failed (Bad destination mailbox address)", "5.1.1", "", Kind.HARD, "5.1.1"),  # these two forms exist
        ("failure", "553 Exceeded", "", Kind.HARD, ""),
        ("failed", "5.2.1", "550 disabled", Kind.HARD, "550 5.2.1"),
        ("failed", "5.2.2", "552 mailbox of ada@people.example is full", Kind.SOFT, "552 5.2.2"),
        ("failed", "5.7.1", "554 5.7.1 blocked", Kind.SOFT, "554 5.7.1"),
        ("failed", "4.4.7", "delivery time expired", Kind.SOFT, "4.4.7"),
        ("delayed", "4.2.2", "452 full", Kind.SOFT, "452 4.2.2"),
        ("failed", "", "", Kind.HARD, ""),
    ],
)
def test_what_a_report_means(action: str, status: str, diagnostic: str, kind: Kind, code: str) -> None:
    found = bounces.parse(report(action=action, status=status, diagnostic=diagnostic))

    assert found is not None
    assert (found.kind, found.code) == (kind, code)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", ""])
def test_good_news_is_no_bounce(action: str) -> None:
    assert bounces.parse(report(action=action)) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Out of office\r\n\r\nBack on Monday: 550 5.1.1",
        report().replace(b"message/delivery-status", b"text/plain"),
        report().replace(b'boundary="=_b"', b'boundary="other"'),
        report()[:400],
    ],
)
def test_other_mails_are_no_bounces(raw: bytes) -> None:
    assert bounces.parse(raw) is None


@given(st.binary(max_size=400), st.integers(0, 1200), st.integers(0, 40))
def test_no_mail_breaks_the_reader(noise: bytes, at: int, cut: int) -> None:
    whole = report("a" * 46)

    bounces.parse(noise)
    bounces.parse(whole[:at] + noise + whole[at + cut :])


@pytest.mark.django_db
def test_mailbox_keeps_what_is_not_ours(told: list[Bounce], settings: Any, tmp_path: Path) -> None:
    settings.BOUNCE_MAILBOX = f"maildir://{tmp_path}/box"
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    message = row()
    ours = report(bounces.token(message, "ada@people.example"))
    for name, raw in {"1.a.host": ours, "2.b.host": b"Subject: Hello\r\n\r\nPlease call me.", "3.c.host": ours}.items():
        (tmp_path / "box" / "new" / name).write_bytes(raw)

    assert bounces.read_mailbox(now=NOW) == 2
    assert bounces.read_mailbox(now=NOW) == 0

    assert len(told) == 2
    assert [path.name for path in (tmp_path / "box").rglob("*.host*")] == ["2.b.host:2,S"]


@pytest.mark.django_db
def test_report_that_nobody_can_act_upon_stops_no_other(
    told: list[Bounce], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guard: take_each; the first such report was tried again each minute, and nothing behind it was read."""

    def fails_once(bounce: Bounce) -> None:
        monkeypatch.setattr(bounces, "_listeners", [told.append])
        raise ValueError("canary@people.example")

    settings.BOUNCE_MAILBOX = f"maildir://{tmp_path}/box"
    new, cur = tmp_path / "box" / "new", tmp_path / "box" / "cur"
    new.mkdir(parents=True)
    cur.mkdir()
    monkeypatch.setattr(bounces, "_listeners", [fails_once])
    for name in ("1", "2"):
        (new / name).write_bytes(report(bounces.token(row(), "ada@people.example")))

    assert bounces.read_mailbox(now=NOW) == 1
    assert len(told) == 1
    assert [path.name for path in cur.iterdir()] == ["1:2,S"]


def test_mailbox_that_is_none(settings: Any, tmp_path: Path) -> None:
    assert bounces.read_mailbox(now=NOW) == 0
    settings.BOUNCE_MAILBOX = f"maildir://{tmp_path}/nothing"
    assert bounces.read_mailbox(now=NOW) == 0
    settings.BOUNCE_MAILBOX = "pop3://user:password@host/"
    with pytest.raises(ImproperlyConfigured, match="maildir:///"):
        bounces.read_mailbox(now=NOW)


@pytest.mark.django_db
def test_mail_travels_with_its_token_and_comes_back_with_it(
    handler: Handler, smtp_sink: SmtpSink, told: list[Bounce], settings: Any
) -> None:
    settings.BOUNCE_ADDRESS, settings.BOUNCE_MAILBOX = "bounces@conference.example", "maildir:///nowhere"
    (message,) = queued()

    drain("mail", now=NOW)

    (received,) = smtp_sink.messages
    assert received.sender == bounces.envelope_sender(message, address(message.about_id))
    assert received.message["From"] == settings.DEFAULT_FROM_EMAIL
    returned = report(to=received.sender, header=f"X-Delivery-Id: {received.message['X-Delivery-Id']}")
    assert bounces.take(returned, now=NOW)
    assert short(told) == [(message.pk, Kind.HARD, "550 5.1.1")]


@pytest.mark.django_db
def test_address_refused_in_the_conversation_is_told(handler: Handler, smtp_sink: SmtpSink, told: list[Bounce]) -> None:
    (message,) = queued()
    smtp_sink.refused.add(address(message.about_id))

    report = drain("mail", now=NOW)

    assert report.dead == 1
    assert short(told) == [(message.pk, Kind.HARD, "550 5.1.1")]


@pytest.mark.django_db
def test_listener_that_fails_stops_no_mail(
    handler: Handler, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(bounce: Bounce) -> None:
        raise RuntimeError

    monkeypatch.setattr(bounces, "_listeners", [broken])
    first, _second = queued(2)
    smtp_sink.refused.add(address(first.about_id))

    report = drain("mail", now=NOW)

    assert (report.dead, report.sent) == (1, 1)


def test_without_settings_a_mail_carries_nothing_more() -> None:
    built = postman.build(Mail(to="ada@people.example", subject="Hello", text="Good day."), unsaved())

    raw = message_from_bytes(built.message().as_bytes())
    assert "X-Delivery-Id" not in raw
