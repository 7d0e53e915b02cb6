"""Mails as they stand on the wire, and what the mail server's answers mean."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.core import mail as django_mail
from pytest_django import Settings

from outbox import postman
from outbox.delivery import Report, drain
from outbox.models import Message, MessageState, Outage
from outbox.results import Attachment, Mail, Permanent
from tests.factories import NOW
from tests.outbox.conftest import Handler, address, mail_for, queued, unsaved
from tests.services import SmtpSink

pytestmark = pytest.mark.django_db

CALENDAR = "BEGIN:VCALENDAR\r\nSUMMARY:Противодействие торговле людьми\r\nEND:VCALENDAR\r\n".encode()


def hello(**values: object) -> Mail:
    """A mail with one thing about it changed."""
    return Mail(**({"to": "ada@people.example", "subject": "Hello", "text": "Good day."} | values))  # type: ignore[arg-type]


# --- what stands on the wire ----------------------------------------------------------------------------------------


def test_mail_arrives_with_text_html_calendar_and_its_headers(handler: Handler, smtp_sink: SmtpSink) -> None:
    handler.does = lambda message, now: Mail(
        to="ada@people.example",
        subject="Ваша регистрация",
        text="Добрый день!\n.\nA line with a dot alone.\n",
        html="<p>Добрый день!</p>",
        language="ru",
        attachments=(Attachment("session.ics", CALENDAR, "text/calendar; method=PUBLISH"),),
        headers={"Reply-To": "office@office.example"},
    )
    queued()

    drain("mail", now=NOW)

    (received,) = smtp_sink.messages
    assert received.recipients == ["ada@people.example"]
    mail = received.message
    assert mail["To"] == "ada@people.example"
    assert mail["Subject"] == "Ваша регистрация"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "ru"
    assert mail["Reply-To"] == "office@office.example"
    assert parsedate_to_datetime(mail["Date"]) == NOW
    text, html = mail.get_body(["plain"]), mail.get_body(["html"])
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Добрый день!", ".", "A line with a dot alone."]
    assert "<p>Добрый день!</p>" in html.get_content()
    (calendar,) = mail.iter_attachments()
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"method": "PUBLISH", "charset": "utf-8"}
    assert calendar.get_filename() == "session.ics"
    assert calendar.get_payload(decode=True) == CALENDAR


def test_attachment_of_another_kind_keeps_its_bytes_and_its_name(handler: Handler, smtp_sink: SmtpSink) -> None:
    content = bytes(range(256))
    handler.does = lambda message, now: hello(attachments=(Attachment("Программа.pdf", content, "application/pdf"),))
    queued()

    drain("mail", now=NOW)

    (attachment,) = smtp_sink.messages[0].message.iter_attachments()
    assert attachment.get_filename() == "Программа.pdf"
    assert attachment.get_content() == content


def test_message_id_and_date_stay_the_same_at_every_attempt(handler: Handler, smtp_sink: SmtpSink) -> None:
    smtp_sink.mode = "lose-answer"
    queued()

    for attempt in range(3):
        drain("mail", now=NOW + attempt * timedelta(hours=1))
        if attempt == 1:
            smtp_sink.mode = "accept"

    first, *others = [received.message for received in smtp_sink.messages]
    assert len(others) == 2
    assert {(mail["Message-ID"], mail["Date"]) for mail in others} == {(first["Message-ID"], first["Date"])}
    assert Message.objects.get().state == MessageState.SENT


def test_message_id_tells_nothing_and_differs_by_key(settings: Settings) -> None:
    settings.SITE_DOMAIN = "conference.example"
    first, second = postman.message_id("received:ada@people.example"), postman.message_id("received:2")

    assert re.fullmatch(r"<[0-9a-f]{40}@conference\.example>", first)
    assert first != second
    assert first == postman.message_id("received:ada@people.example")


def test_date_of_a_reminder_is_the_day_it_was_due() -> None:
    message = unsaved(created_at=NOW, due_at=NOW + timedelta(days=30))

    assert parsedate_to_datetime(postman.build(hello(), message).extra_headers["Date"]) == NOW + timedelta(days=30)


@pytest.mark.parametrize(
    "values",
    [
        {"subject": "Hello\nBcc: all@people.example"},
        {"subject": "Hello\r\n\r\nA body of my own"},
        {"subject": "Hello\x00"},
        {"subject": "Hello\u2028there"},
        {"to": "ada@people.example\nBcc: all@people.example"},
        {"to": "ada@people.example, eve@people.example"},
        {"to": "Ada <ada@people.example>"},
        {"to": "nobody"},
        {"to": ""},
        {"language": "en\nX: y"},
        {"headers": {"Reply-To": "a@b.example\r\nBcc: all@people.example"}},
        {"headers": {"Reply-To: x\nBcc": "all@people.example"}},
        {"headers": {"Bcc": "all@people.example"}},
        {"headers": {"message-id": "<1@b.example>"}},
        {"attachments": (Attachment("a\r\nX: y", b"", "text/plain"),)},
        {"attachments": (Attachment("a", b"", "text/plain\r\nX: y"),)},
    ],
)
def test_mail_that_would_smuggle_a_header_is_refused(
    handler: Handler, smtp_sink: SmtpSink, values: dict[str, object]
) -> None:
    handler.does = lambda message, now: hello(**values)
    queued()

    assert drain("mail", now=NOW) == Report(claimed=1, dead=1)
    assert smtp_sink.messages == []
    assert "@" not in Message.objects.get().last_error


# --- what the server's answers mean ---------------------------------------------------------------------------------


def test_one_connection_carries_many_mails(
    handler: Handler, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    real = django_mail.get_connection

    def get_connection(**values: Any) -> Any:
        opened.append(1)
        return real(**values)

    monkeypatch.setattr(django_mail, "get_connection", get_connection)
    monkeypatch.setattr(postman, "MAILS_PER_CONNECTION", 25)
    queued(60)

    drain("mail", now=NOW)

    assert len({received.message_id for received in smtp_sink.messages}) == 60
    assert len(opened) == 3


def test_refused_address_is_given_up_and_the_others_leave(
    handler: Handler, smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    refused, *_ = queued(5)
    smtp_sink.refused = {address(refused.about_id)}

    report = drain("mail", now=NOW)

    assert report == Report(claimed=5, sent=4, dead=1)
    dead = Message.objects.get(pk=refused.pk)
    assert (dead.state, dead.last_error) == (MessageState.DEAD, "The mail server refuses this address. (550)")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("outbox")]
    assert ours == [f"Message {refused.pk} (test.mail) is given up: The mail server refuses this address. (550)"]


def test_refused_content_is_given_up(handler: Handler, smtp_sink: SmtpSink) -> None:
    smtp_sink.mode = "reject"
    queued(3)

    assert drain("mail", now=NOW).dead == 3
    assert Message.objects.first().last_error == "The mail server refuses the message. (550)"  # type: ignore[union-attr]


def test_later_please_is_tried_again_and_arrives(handler: Handler, smtp_sink: SmtpSink) -> None:
    smtp_sink.mode = "tempfail"
    queued(3)

    assert drain("mail", now=NOW) == Report(claimed=3, retried=3)
    smtp_sink.mode = "accept"

    assert drain("mail", now=NOW + timedelta(seconds=31)).sent == 3


def test_refused_connection_gives_all_back_uncounted(handler: Handler, smtp_sink: SmtpSink) -> None:
    smtp_sink.stop()
    queued(30)

    report = drain("mail", now=NOW)

    assert report == Report(claimed=20, released=20)
    assert set(Message.objects.values_list("state", "attempts", "crashes")) == {(MessageState.QUEUED, 0, 0)}
    assert Outage.objects.get().last_error == "The mail server does not answer. (ConnectionRefusedError)"
    smtp_sink.start()
    assert drain("mail", now=NOW + timedelta(seconds=30)).sent == 30


def test_server_that_closes_at_the_end_of_each_mail_is_left_alone_after_two(
    handler: Handler, smtp_sink: SmtpSink
) -> None:
    smtp_sink.mode = "drop"
    queued(10)

    assert drain("mail", now=NOW) == Report(claimed=10, retried=2, released=8)
    assert Outage.objects.get().last_error.startswith("The mail server broke off; it may have taken the message.")


def test_one_broken_conversation_does_not_hold_up_the_next_mail(handler: Handler, smtp_sink: SmtpSink) -> None:
    def once(message: Message, now: object) -> Mail:
        smtp_sink.mode = "lose-answer" if len(handler.calls) == 2 else "accept"
        return mail_for(message)

    handler.does = once
    queued(5)

    assert drain("mail", now=NOW) == Report(claimed=5, sent=4, retried=1)
    drain("mail", now=NOW + timedelta(hours=1))

    ids = [received.message_id for received in smtp_sink.messages]
    assert (len(ids), len(set(ids))) == (6, 5)


def test_server_that_hangs_times_out(handler: Handler, smtp_sink: SmtpSink, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    smtp_sink.mode, smtp_sink.delay = "hang", 1.0
    queued(5)

    assert drain("mail", now=NOW) == Report(claimed=5, retried=2, released=3)


def test_log_in_that_fails_is_an_outage(handler: Handler, smtp_sink: SmtpSink, settings: Settings) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "office", "wrong"
    queued(2)

    assert drain("mail", now=NOW) == Report(claimed=2, released=2)
    assert Outage.objects.get().last_error.startswith("The mail server does not answer.")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("421 4.3.2 Closing", MessageState.RETRYING),
        ("450 4.1.8 Later", MessageState.RETRYING),
        ("552 5.3.4 Too large", MessageState.DEAD),
        ("553 5.7.1 Sender not allowed", MessageState.QUEUED),
    ],
)
def test_refused_sender(
    handler: Handler, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, answer: str, state: str
) -> None:
    async def refuse(self: object, server: object, session: object, envelope: object, *rest: object) -> str:
        return answer

    monkeypatch.setattr(SmtpSink, "handle_MAIL", refuse, raising=False)
    smtp_sink.stop()
    smtp_sink.start()
    queued()

    drain("mail", now=NOW)

    assert Message.objects.get().state == state
    assert Outage.objects.exists() == (state == MessageState.QUEUED)


def test_build_refuses_with_a_reason_for_organisers() -> None:
    with pytest.raises(Permanent, match="The address is not a valid one"):
        postman.build(hello(to="nobody"), unsaved())
