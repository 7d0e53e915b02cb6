"""Workers killed before, in and after the handing over of a mail, and two workers at the same rows."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection

from outbox import delivery, postman, services
from outbox.delivery import leases
from outbox.models import Message, MessageState
from tests.factories import NOW
from tests.faults import topic
from tests.faults.conftest import ids_of, queue, ring_until, start_processes
from tests.faults.table import Found
from tests.house import House
from tests.services import SmtpSink

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

KILLS = 4  # at each instant


@pytest.mark.fault(
    "worker killed before the send",
    how="SIGKILL to itself in the handler, 4 of 32 messages, Celery with 2 processes",
    expected="0 lost, 0 repeated",
)
@pytest.mark.fault(
    "worker killed during the send",
    how="SIGKILL to itself when half of the DATA is written, 4 of 32",
    expected="0 lost, 0 repeated",
)
@pytest.mark.fault(
    "worker killed after the send",
    how="SIGKILL to itself between the server's 250 and our commit, 4 of 32",
    expected="0 lost, at most 1 repeat each, with the same Message-ID",
)
def test_worker_killed_at_each_instant_of_a_send(outbox_house: House, found: Found) -> None:
    """Guards: the claim of leases that ran out and the Message-ID made of the key, as in test_outbox_faults."""
    running = outbox_house
    kills = running.directory / "kills"
    kills.mkdir()
    running.environment["TEST_KILLS"] = str(kills)
    start_processes(running)
    now = datetime.now(UTC) - timedelta(minutes=1)
    messages = []
    for number in range(32):
        about = uuid4()
        instant = [topic.BEFORE, topic.DURING, topic.AFTER][number % 8] if number % 8 < 3 else ""
        messages.append(
            services.message(
                topic=topic.TOPIC, about_kind="test", about_id=about, key=str(about), now=now, details={"kill": instant}
            )
        )
    services.queue(messages)
    ring_until(running, lambda: not Message.objects.unsent().exists(), 60)

    came = Counter(ids_of(running))
    states = Counter(Message.objects.values_list("state", flat=True))
    repeats = {}
    for instant in (topic.BEFORE, topic.DURING, topic.AFTER):
        mine = [postman.message_id(message.key) for message in messages if message.details["kill"] == instant]
        lost, repeats[instant] = sum(came[one] == 0 for one in mine), [came[one] - 1 for one in mine]
        found(
            f"{lost} lost, {sum(repeats[instant])} repeats of {len(mine)} (same Message-ID, at most "
            f"{max(repeats[instant])} each)",
            fault=f"worker killed {instant} the send",
        )
    assert set(came) == {postman.message_id(message.key) for message in messages}
    assert states == {MessageState.SENT: 32}
    assert len(list(kills.iterdir())) == 3 * KILLS, "somebody was not killed"
    assert repeats == {topic.BEFORE: [0] * KILLS, topic.DURING: [0] * KILLS, topic.AFTER: [1] * KILLS}


@pytest.mark.fault(
    "two workers on one row",
    how="4 workers at the same 200 rows, each claim stopped for 20 ms between choosing and leasing",
    expected="0 lost, 0 repeated; without the row locks it shows doubles",
)
def test_workers_at_the_same_rows_send_each_once(
    own_topic: None, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, found: Found
) -> None:
    """The control takes the row locks out of the claim and must show doubles, or the race would prove nothing."""
    claim = leases._CLAIM_DUE.replace(
        "UPDATE outbox_message m",
        ", pause AS MATERIALIZED (SELECT pg_sleep(0.02) FROM (SELECT count(*) FROM due) AS chosen)\n"
        "UPDATE outbox_message m",
    ).replace("FROM due\n WHERE", "FROM due, pause\n WHERE")
    monkeypatch.setattr(leases, "_CLAIM_DUE", claim)
    guarded, refused = race(smtp_sink)
    monkeypatch.setattr(leases, "_CLAIM_DUE", claim.replace("FOR UPDATE OF m SKIP LOCKED", ""))
    control, control_refused = race(smtp_sink)

    found(
        f"{200 - len(guarded)} lost, {sum(guarded.values()) - 200} repeated; without the locks "
        f"{sum(control.values()) - 200} repeated, {control_refused} writes refused by the table"
    )
    assert (len(guarded), sum(guarded.values()), refused) == (200, 200, 0)
    assert sum(control.values()) > 200 or control_refused


def race(smtp_sink: SmtpSink) -> tuple[Counter[str], int]:
    """Four drains over 200 messages: how often each mail came, and how many drains the table itself had to stop."""
    smtp_sink.clear()
    Message.objects.all().delete()
    queue(200, now=NOW)
    gate = Barrier(4, timeout=10)

    def work(_: int) -> int:
        try:
            gate.wait()
            delivery.drain("mail", now=NOW)
        except IntegrityError:  # a row that is sent already cannot be leased again
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(4) as pool:
        refused = sum(pool.map(work, range(4)))
    return Counter(received.message_id for received in smtp_sink.messages), refused
