"""Ten thousand confirmations queued at once: how fast they leave, in how much memory, and that each leaves once."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import outbox.services
from alliance import crypto
from outbox.models import Message, MessageState
from registration.letters import messages
from registration.models import Admission, IdentityKey, Participant, Registration, RegistrationStatus
from registration.models.participant import Identity, email_index
from tests.factories import NOW, AdmissionFactory, MeetingFactory
from tests.faults.conftest import start_processes
from tests.faults.table import Found
from tests.faults.test_outbox_faults import pool_of
from tests.house import House
from tests.services import SmtpSink, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

PEOPLE = 10_000
LANGUAGES = ("en", "fr", "de", "it", "es", "ru")
SLOWEST = 10.0  # mails a second; ten times that leave on a processor of its own
MOST_GROWTH = (
    1_000.0  # bytes a mail and process, once a tenth has left; what a leak of one mail would be is ten times it
)


class CountingSink(SmtpSink):
    """A mail server that keeps who got what and drops the rest: ten thousand mails are a hundred megabytes."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """One message: its recipient and its Message-ID."""
        head = envelope.content[:4000].decode("ascii", "replace")
        found = re.search(r"^Message-ID:\s*(\S+)", head, re.IGNORECASE | re.MULTILINE)
        self.got += [(address, found[1] if found else "") for address in envelope.rcpt_tos]
        return "250 2.0.0 Kept"


@pytest.fixture
def counting_sink() -> Iterator[CountingSink]:
    """Started, and stopped in the end."""
    sink = CountingSink()
    sink.start()
    yield sink
    sink.stop()


def confirm_everybody(admission: Admission) -> None:
    """Ten thousand people, confirmed, each with the messages that a form of theirs would have queued."""
    people, keys = [], []
    for number in range(PEOPLE):
        person = Participant(
            conference=admission.conference,
            display_name=f"Grace Guest {number}",
            language=LANGUAGES[number % len(LANGUAGES)],
            created_at=NOW,
        )
        key, wrapped = crypto.new_person_key()
        identity = Identity("Grace", f"Guest {number}", f"guest{number}@mail.example")
        person.email_index = email_index(identity.email)
        person.seal(identity, key)
        person.link_hash = crypto.token_hash(person.personal_token)
        people.append(person)
        keys.append(wrapped)
    Participant.objects.bulk_create(people, batch_size=1000)
    IdentityKey.objects.bulk_create(
        (IdentityKey(participant=person, wrapped=key) for person, key in zip(people, keys, strict=True)),
        batch_size=1000,
    )
    registrations = []
    for person in people:
        made = Registration(
            admission=admission, participant=person, status=RegistrationStatus.CONFIRMED, created_at=NOW
        )
        made.join_hash = crypto.token_hash(made.join_token)
        registrations.append(made)
    Registration.objects.bulk_create(registrations, batch_size=1000)
    loaded = Admission.objects.with_meeting().get(pk=admission.pk)
    for made in registrations:
        made.admission = loaded
    now = datetime.now(UTC) - timedelta(minutes=1)  # due by the database's clock, too
    queued = [message for made in registrations for message in messages.about_form(made.participant, [made], now=now)]
    for start in range(0, len(queued), 1000):
        outbox.services.queue(queued[start : start + 1000])


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^VmRSS:\s*(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@pytest.mark.long
@pytest.mark.fault(
    "10,000 confirmations at once",
    how="10,000 people in six languages by bulk insert; Celery with 2 processes and beat; SMTP",
    expected=f"each once; {SLOWEST:.0f} a second or more; then at most {MOST_GROWTH / 1000:.0f} kB a mail more",
)
def test_ten_thousand_confirmations_drain_in_flat_memory(
    outbox_house: House, counting_sink: CountingSink, found: Found
) -> None:
    """Seen to fail with a list that kept the words of every mail handed over: 8 kB a mail, of 600 of them; and with
    claims that took leased messages, too, and locked no rows: 53 of 400 repeated."""
    running = outbox_house
    running.environment["EMAIL_URL"] = counting_sink.url
    running.environment["FIELD_ENCRYPTION_KEYS"] = os.environ["FIELD_ENCRYPTION_KEYS"]  # addresses are sealed with it
    admission = AdmissionFactory(capacity=None)
    MeetingFactory(session=admission.session)
    confirm_everybody(admission)
    confirmations = Message.objects.filter(topic=messages.FORM)
    assert confirmations.count() == PEOPLE

    start_processes(running)
    began = time.monotonic()
    running.start_beat()
    pool = pool_of(running.processes["worker"].pid)
    early: dict[int, int] = {}
    most: dict[int, int] = dict.fromkeys(pool, 0)

    def all_came() -> bool:
        time.sleep(0.5)
        if len(counting_sink.got) >= PEOPLE // 10:
            now = {pid: resident(pid) for pid in pool}
            for pid, held in now.items():
                early.setdefault(pid, held)
                most[pid] = max(most[pid], held)
        return len(counting_sink.got) >= PEOPLE and not confirmations.unsent().exists()

    wait_until(all_came, 780, lambda: f"{len(counting_sink.got)} mails came; {running.log('worker')}; ")
    seconds = time.monotonic() - began
    time.sleep(1)  # a second copy would come now

    came = Counter(address for address, _message_id in counting_sink.got)
    rate = PEOPLE / seconds
    growth = max(most[pid] - early[pid] for pid in pool) / (PEOPLE * 0.9 / len(pool))
    found(
        f"{PEOPLE - len(came)} lost, {sum(came.values()) - len(came)} repeated; {rate:.0f} mails a second; "
        f"{', '.join(f'{early[pid] / 1e6:.0f} MB, at most {most[pid] / 1e6:.0f}' for pid in pool)}: "
        f"{growth:.0f} bytes a mail"
    )
    assert came == {f"guest{number}@mail.example": 1 for number in range(PEOPLE)}
    assert len({message_id for _address, message_id in counting_sink.got}) == PEOPLE
    assert pool_of(running.processes["worker"].pid) == pool, "a process was replaced: what it held is not known"
    assert growth <= MOST_GROWTH
    assert rate >= SLOWEST
    assert dict.fromkeys(confirmations.values_list("state", flat=True).distinct()) == {MessageState.SENT: None}
