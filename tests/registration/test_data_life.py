"""What is due is erased in portions with a proof; people can prove their own erasure; organisers see all of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection
from django.test import Client

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry, User
from events.models import Conference
from outbox.models import Message, MessageState
from registration import retention
from registration.models import (
    Admission,
    CheckIn,
    Consent,
    DeletionProof,
    ErasureReceipt,
    IdentityKey,
    Participant,
    Purpose,
    Registration,
    RetentionPeriod,
)
from registration.retention import NOTICE
from registration.services import consents, data_life, erasure, proofs
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    StaffFactory,
)
from tests.registration.at_rest import everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def conference() -> Conference:
    """It ended on a known day, and the rules are known for long."""
    data_life.announce(now=NOW - timedelta(days=30))
    return ConferenceFactory(starts_on=NOW.date(), ends_on=NOW.date())


def days_after(conference: Conference, days: int) -> datetime:
    """So many days after its end."""
    assert conference.ends_at is not None
    return conference.ends_at + timedelta(days=days)


def person(conference: Conference, **more: Any) -> Participant:
    """Somebody with everything that a rule empties."""
    about = {"accessibility_needs": "ramp", "interpretation_language": "Romani", "function": "Ambassador"} | more
    participant: Participant = ParticipantFactory(conference=conference, time_zone="Asia/Almaty", **about)
    registration = RegistrationFactory(
        participant=participant,
        admission=Admission.objects.filter(conference=conference).first()
        or AdmissionFactory(session=None, conference=conference, mode="online"),
        reason="asked by hand",
    )
    Registration.objects.filter(pk=registration.pk).update(joined_at=NOW + timedelta(hours=3))
    CheckIn.objects.create(
        conference=conference, participant=participant, registration=registration, on_day=NOW.date(),
        at=NOW + timedelta(hours=1), received_at=NOW + timedelta(hours=1),
        nonce=uuid4(), by=StaffFactory(),
    )  # fmt: skip
    return participant


def proved() -> dict[str, int]:
    """Number by rule of all proofs."""
    return dict(DeletionProof.objects.values_list("rule", "count"))


def test_each_rule_erases_when_its_period_has_passed_and_proves_it_once(conference: Conference) -> None:
    one = person(conference)
    person(conference)

    data_life.erase_due(now=days_after(conference, 29))
    assert proved() == {}
    for _twice in range(2):
        data_life.erase_due(now=days_after(conference, 30))
    assert proved() == {"needs": 2, "languages": 2}
    one.refresh_from_db()
    assert (one.accessibility_needs, one.interpretation_language, one.time_zone) == ("", "", "")
    assert one.function == "Ambassador"

    data_life.erase_due(now=days_after(conference, 365))
    rest = {"check_ins": 2, "clicks": 2, "reasons": 2, "functions": 2}
    assert proved() == {"needs": 2, "languages": 2} | rest
    entry = CheckIn.objects.first()
    assert entry is not None
    assert (entry.at.hour, entry.received_at.hour, entry.by, entry.on_day) == (0, 0, None, NOW.date())
    joined = Registration.objects.exclude(joined_at=None).values_list("joined_at", "reason")
    assert {(at.hour, reason) for at, reason in joined if at} == {(0, "")}
    assert IdentityKey.objects.count() == 2
    text = "\n".join(str(row) for row in DeletionProof.objects.values())
    assert one.display_name not in text
    assert str(one.public_id) not in text


def test_portions_and_their_proofs_survive_being_killed(
    conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(5):
        person(conference)
    monkeypatch.setattr(data_life, "_PORTION", 2)
    noted = proofs.note
    calls: list[int] = []

    def killed(*args: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        noted(*args, **more)

    monkeypatch.setattr(proofs, "note", killed)
    with pytest.raises(KeyboardInterrupt):
        data_life.erase_due(now=days_after(conference, 30))
    assert Participant.objects.filter(accessibility_needs="").count() == proved()["needs"] == 2

    data_life.erase_due(now=days_after(conference, 30))

    assert proved() == {"needs": 5, "languages": 5}


def test_people_are_erased_in_the_end_but_for_those_who_agreed_to_be_written_to(conference: Conference) -> None:
    goes, stays, took_back = person(conference), person(conference), person(conference)
    consents.ask_for(conference=conference, purposes=[Purpose.CONTACT], by=actors.SYSTEM, now=NOW)
    late = days_after(conference, 100)
    for who in (stays, took_back):
        consents.give(participant_id=who.pk, purpose=Purpose.CONTACT, language="en", now=late)
    consents.withdraw(participant_id=took_back.pk, purpose=Purpose.CONTACT, language="en", now=late)

    data_life.erase_due(now=days_after(conference, 760))

    assert set(IdentityKey.objects.values_list("participant", flat=True)) == {stays.pk}
    assert proved()["person"] == 2
    goes.refresh_from_db()
    assert goes.display_name == erasure.ERASED_NAME
    data_life.erase_due(now=late + timedelta(days=731))
    assert not IdentityKey.objects.exists()
    assert not Consent.objects.exists()


def test_one_whom_the_database_refuses_to_erase_holds_up_nobody_else(
    conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = person(conference), person(conference)
    erase = erasure.erase

    def refusing(*, participant_id: int, **more: Any) -> Any:
        if participant_id == stuck.pk:
            raise IntegrityError
        return erase(participant_id=participant_id, **more)

    monkeypatch.setattr(erasure, "erase", refusing)
    with pytest.raises(IntegrityError):
        data_life.erase_due(now=days_after(conference, 760))

    assert set(IdentityKey.objects.values_list("participant", flat=True)) == {stuck.pk}
    assert proved()["person"] == 1
    assert other.pk != stuck.pk


def test_a_period_is_the_conferences_own_and_on_the_record(conference: Conference) -> None:
    other = person(ConferenceFactory(starts_on=NOW.date(), ends_on=NOW.date()))
    mine = person(conference)
    by = Actor.organiser(StaffFactory())

    changed = data_life.set_periods(conference=conference, days={"needs": 3, "reasons": 180}, by=by, now=NOW - NOTICE)
    data_life.erase_due(now=days_after(conference, 3))

    assert changed == ["needs"]
    assert Participant.objects.get(pk=mine.pk).accessibility_needs == ""
    assert Participant.objects.get(pk=other.pk).accessibility_needs == "ramp"
    assert AuditEntry.objects.get(action="conference.retention_changed").details == {
        "from": {"needs": 30}, "to": {"needs": 3},
    }  # fmt: skip
    for wrong in ({"needs": 3651}, {"nothing": 1}):
        with pytest.raises(data_life.PeriodTooLong):
            data_life.set_periods(conference=conference, days=wrong, by=by, now=NOW)
    with pytest.raises(IntegrityError, match="deletion_proof_of_something"):
        DeletionProof.objects.create(rule="needs", version=1, on_day=NOW.date(), count=0)


def test_a_first_run_and_a_changed_period_erase_nothing_before_they_were_announced(organiser: Client) -> None:
    conference = ConferenceFactory(starts_on=NOW.date(), ends_on=NOW.date())
    person(conference)
    first_run = days_after(conference, 400)  # an old installation that has known no such rules

    data_life.erase_due(now=first_run)
    data_life.forget_of_house(now=first_run)
    assert proved().keys() <= {"sessions"}
    needs = {one.rule.key: one for one in data_life.standings(conference, now=first_run)}["needs"]
    assert (needs.due_at, needs.waiting, needs.is_announced) == (first_run + NOTICE, 1, True)
    with time_machine.travel(first_run, tick=False):
        organiser.force_login(StaffFactory(is_superuser=True))
        page = organiser.get(f"/admin/events/conference/{conference.pk}/data-life/").text
    assert "kept longer than its period" in page

    by = Actor.organiser(StaffFactory())
    data_life.set_periods(conference=conference, days={"needs": 3}, by=by, now=first_run + timedelta(days=6))
    data_life.erase_due(now=first_run + NOTICE)
    assert proved().keys() - {"sessions"} == {"languages", "check_ins", "clicks", "reasons", "functions"}
    data_life.erase_due(now=first_run + timedelta(days=6) + NOTICE)
    assert proved()["needs"] == 1


def test_without_a_last_day_nothing_is_erased() -> None:
    somebody = person(ConferenceFactory(starts_on=None, ends_on=None))

    data_life.erase_due(now=NOW + timedelta(days=5000))

    somebody.refresh_from_db()
    assert somebody.accessibility_needs == "ramp"


def test_the_house_forgets_messages_sessions_and_old_lines_with_proofs(conference: Conference) -> None:
    old = NOW - timedelta(days=settings.OUTBOX_KEEP_DAYS, seconds=1)
    Message.objects.create(
        topic="registration.received", key="k", about_kind="participant", about_id=conference.public_id,
        state=MessageState.SENT, due_at=old, next_attempt_at=old, deadline_at=old, created_at=old, finished_at=old,
    )  # fmt: skip
    Session.objects.create(session_key="over", session_data="x", expire_date=NOW - timedelta(seconds=1))
    for days in (settings.AUDIT_KEEP_DAYS + 1, 1):
        actors.audit_entry(
            at=NOW - timedelta(days=days), by=actors.SYSTEM, action="x", about_kind="y", about_id=conference.public_id
        ).save()

    for _twice in range(2):
        data_life.forget_of_house(now=NOW)

    assert not Message.objects.exists()
    assert not Session.objects.exists()
    assert AuditEntry.objects.count() == 1
    assert proved() == {"messages": 1, "sessions": 1, "audit": 1}


def test_who_erases_themself_gets_a_code_that_proves_it_and_nothing_else(client: Client) -> None:
    registration = RegistrationFactory()
    participant = registration.participant
    path = f"/r/{participant.personal_token}/delete/"

    with time_machine.travel(NOW, tick=False):
        first, again = (client.post(path)["Location"] for _twice in range(2))

    page = client.get(first).content.decode()
    assert "1 person" in page
    assert "1 registration" in page
    assert first == again or again in first or "proof=" in again
    receipt = ErasureReceipt.objects.get()
    assert receipt.counts == {"people": 1, "registrations": 1}
    assert str(participant.conference.title) not in page
    code = first.partition("proof=")[2].partition("&")[0]
    assert code.replace("-", "") not in everything()
    assert "Proof of deletion" not in client.get("/r/deleted/?proof=0000-0000-0000-0000").content.decode()
    assert "Proof of deletion" not in client.get("/r/deleted/").content.decode()
    assert proved() == {"erased_by_wish": 1}


@pytest.fixture
def organiser(client: Client) -> Client:
    """Signed in with every right."""
    user: User = StaffFactory(is_superuser=True)
    client.force_login(user)
    return client


def test_organisers_change_periods_and_take_proofs_away(organiser: Client, conference: Conference) -> None:
    person(conference)
    base = f"/admin/events/conference/{conference.pk}/data-life/"
    organiser.post(base + "save/", {f"days-{rule.key}": rule.days for rule in retention.RULES} | {"days-needs": "2"})
    organiser.post(base + "save/", {"days-needs": "a year"})
    assert RetentionPeriod.objects.update(changed_at=NOW - NOTICE) == 1
    data_life.erase_due(now=days_after(conference, 2))

    page = organiser.get(base, {"rule": "needs", "year": str(days_after(conference, 2).year)}).content.decode()
    file = organiser.get(base + "proofs/", {"rule": "needs"}).content.decode().splitlines()
    paper = organiser.get(base + "proofs/", {"kind": "pdf"})

    assert data_life.periods(conference)["needs"] == 2
    assert 'value="2"' in page
    assert file[0] == "day,kind,label,number,days_kept,rule_version,proof"
    assert [line.split(",")[1:6] for line in file[1:]] == [
        ["needs", "What people need in order to take part", "1", "2", "1"]
    ]
    assert paper.content.startswith(b"%PDF-")
    assert organiser.get(base + "save/").status_code == 405


def test_the_record_of_processing_says_what_the_settings_say(organiser: Client, conference: Conference) -> None:
    consents.ask_for(conference=conference, purposes=[Purpose.PHOTO], by=actors.SYSTEM, now=NOW)
    AdmissionFactory(session=None, conference=conference)
    data_life.set_periods(conference=conference, days={"needs": 77}, by=actors.SYSTEM, now=NOW)
    address = f"/admin/events/conference/{conference.pk}/data-life/processing/"

    page = organiser.get(address).content.decode()
    paper = organiser.get(address, {"kind": "pdf"})

    assert "Photographs that show me may be published" in page
    assert "Recordings in which I am seen" not in page
    assert "77 days after the last day" in page
    assert "Registration and places" in page
    assert "Delegations" not in page.partition("Purposes")[2].partition("</table>")[0]
    assert paper.content.startswith(b"%PDF-")


def test_every_table_about_people_is_in_a_rule_or_known_to_stay() -> None:
    """Who adds a table with a link to a participant decides here what becomes of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint "
            "WHERE contype = 'f' AND confrelid = 'registration_participant'::regclass ORDER BY 1"
        )
        found = {table.rpartition(".")[2] for (table,) in cursor.fetchall()}
    decided = {
        "registration_addresschange": "minutes after its time",
        "registration_askedfor": "72 hours",
        "registration_certificate": "with the person",
        "registration_checkin": "rule check_ins",
        "registration_consent": "with the person",
        "registration_differentpeople": "with the person",
        "registration_doorcode": "rule door_codes",
        "registration_identitykey": "with the person",
        "registration_mailbounce": "rule bounces",
        "registration_membership": "rule refusals, with the person",
        "registration_protectedparticipant": "with the person",
        "registration_questionanswer": "as each question says",
        "registration_seatpair": "with the person",
        "registration_registration": "rules clicks and reasons; stays for the figures",
        "registration_takedown": "stays without a name",
    }
    assert found == set(decided)
