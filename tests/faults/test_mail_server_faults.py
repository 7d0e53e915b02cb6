"""A mail server that says no, says later, hangs, or goes away in the middle; and one message that nobody can send.

Real SMTP; the clock is moved, nobody sleeps.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from outbox import postman, topics
from outbox.delivery import CRASHES_UNTIL_DEAD, drain
from outbox.models import Message, MessageState, Outage
from outbox.results import Mail
from tests.factories import NOW
from tests.faults import topic
from tests.faults.conftest import queue, queue_at_once
from tests.faults.table import Found
from tests.services import SmtpSink

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

MINUTE = timedelta(minutes=1)


def came(sink: SmtpSink) -> Counter[str]:
    """How often each Message-ID came."""
    return Counter(received.message_id for received in sink.messages)


def drain_for(minutes: int, *, now: datetime) -> tuple[datetime, int]:
    """A drain a minute: the instant after them, and how many messages were tried."""
    tried = 0
    for _ in range(minutes):
        report = drain("mail", now=now)
        tried += report.sent + report.retried + report.dead
        now += MINUTE
    return now, tried


@pytest.mark.long
@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "tempfail",
            marks=pytest.mark.fault(
                "mail server answers 4xx",
                how="451 after every DATA for an hour, 40 messages",
                expected="0 lost, 0 repeated; each tried again with growing waits",
            ),
        ),
        pytest.param(
            "hang",
            marks=pytest.mark.fault(
                "mail server hangs",
                how="no answer to the DATA within EMAIL_TIMEOUT for an hour, 40 messages",
                expected="way out closed after 2 tries, then one try each half minute; 0 lost",
            ),
        ),
        pytest.param(
            "drop",
            marks=pytest.mark.fault(
                "mail server drops after DATA",
                how="connection closed at the end of every DATA, nothing kept, for an hour, 40 messages",
                expected="way out closed after 2 tries; 0 lost, 0 repeated",
            ),
        ),
    ],
)
def test_mail_server_in_trouble_for_an_hour(
    mode: str, own_topic: None, smtp_sink: SmtpSink, settings: Any, found: Found
) -> None:
    """Guards: _retry's growing waits (with one minute at most, 4xx cost too many tries); BrokenAgain (without it the
    way out stayed open).
    """
    settings.EMAIL_TIMEOUT = 0.1
    smtp_sink.delay = 0.2
    messages, _ = queue(40, now=NOW)
    smtp_sink.mode = mode
    began = time.monotonic()
    first = drain("mail", now=NOW)
    held = time.monotonic() - began
    is_closed = Outage.objects.exists()
    now, tried = drain_for(59, now=NOW + MINUTE)
    time.sleep(0.3)  # the last of those that hang is kept by the server, as it may be
    ids_before = came(smtp_sink)
    smtp_sink.mode = "accept"
    now, _ = drain_for(60, now=now)

    ids = came(smtp_sink)
    copies = sum(ids.values()) - len(ids)
    found(
        f"{40 - len(ids)} lost, {copies} copies (the server kept {sum(ids_before.values())} unsaid); {tried} tries "
        f"in the hour; {'way out closed' if is_closed else 'way out open'}, a drain held for {held:.1f} s"
    )
    assert set(ids) == {postman.message_id(message.key) for message in messages}
    assert Message.objects.filter(state=MessageState.SENT).count() == 40
    assert is_closed == (mode != "tempfail")
    assert copies <= sum(ids_before.values())
    if mode == "tempfail":
        assert (first.retried, copies) == (40, 0)
        assert tried <= 40 * 12
    else:
        assert first.retried == 2
        assert tried <= 62


@pytest.mark.fault(
    "mail server answers 5xx",
    how="550 to one address of 40; then 550 to every content",
    expected="only these are given up, with the reason; sent again by an organiser they arrive",
)
def test_mail_server_that_refuses(own_topic: None, smtp_sink: SmtpSink, found: Found) -> None:
    """Guard: AddressRefused is Permanent (as Temporary nobody was given up)."""
    from outbox import services

    messages, _ = queue(40, now=NOW)
    refused = messages[7]
    smtp_sink.refused = {topic.address(refused)}
    drain("mail", now=NOW)
    dead = Message.objects.get(state=MessageState.DEAD)
    others = len(smtp_sink.messages)
    smtp_sink.mode = "reject"
    wrong, _ = queue(3, now=NOW)
    drain("mail", now=NOW)
    reasons = set(Message.objects.filter(state=MessageState.DEAD).values_list("last_error", flat=True))
    smtp_sink.mode, smtp_sink.refused = "accept", set()
    for message in Message.objects.filter(state=MessageState.DEAD):
        services.send_again(message.pk, by_user=None, now=NOW + MINUTE)
    drain("mail", now=NOW + MINUTE)

    ids = came(smtp_sink)
    found(
        f"1 of 40 given up, {others} came; then {len(wrong)} of {len(wrong)}; "
        f"{43 - len(ids)} lost and {sum(ids.values()) - len(ids)} repeated after “send again”"
    )
    assert dead.key == refused.key
    assert reasons == {
        "The mail server refuses this address. (550)", "The mail server refuses the message. (550)",
    }  # fmt: skip
    assert others == 39
    assert ids == {postman.message_id(message.key): 1 for message in [*messages, *wrong]}


@pytest.mark.fault(
    "one poisoned message of 1,000",
    how="its handler fails each time; it is the 500th",
    expected="given up after 5 tries with the place; 999 sent once, delayed by less than 1 s",
)
def test_one_poisoned_message_of_a_thousand(own_topic: None, smtp_sink: SmtpSink, found: Found) -> None:
    """Guard: the last `except` of attempts.try_one (without it the drain ended there)."""
    messages = queue_at_once(1000)
    poison = messages[499]
    failed: list[float] = []

    def handle(message: Message, *, now: datetime) -> Mail:
        if message.key == poison.key:
            failed.append(time.time())
            raise ZeroDivisionError(f"{message.about_id}@people.example")
        return topic.handle(message, now=now)

    topics.forget(topic.TOPIC)
    topics.register(topic.TOPIC, handle)
    now = poison.due_at
    tries = 0
    while Message.objects.unsent().exists() and tries < 20:
        drain("mail", now=now)
        tries += 1
        now += timedelta(hours=1)

    arrivals = sorted(received.at for received in smtp_sink.messages)
    delay = next(at for at in arrivals if at > failed[0]) - failed[0]
    row = Message.objects.get(key=poison.key)
    ids = came(smtp_sink)
    found(f"{999 - len(ids)} lost, {sum(ids.values()) - len(ids)} repeated; given up after {row.attempts} tries; "
          f"the next mail came {delay * 1000:.0f} ms after its failure")  # fmt: skip
    assert ids == {postman.message_id(message.key): 1 for message in messages if message is not poison}
    assert (row.state, row.attempts, len(failed)) == (MessageState.DEAD, CRASHES_UNTIL_DEAD, CRASHES_UNTIL_DEAD)
    assert "ZeroDivisionError in test_mail_server_faults.py" in row.last_error
    assert "@" not in row.last_error
    assert delay < 1
