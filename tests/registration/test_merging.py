"""Two rows of one person made one: nothing is lost, nobody gets two seats, and a freed one goes to the next in line."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import AuditEntry
from events.admin import pages
from events.models import Conference
from outbox.models import Message
from outbox.results import Mail
from registration import services
from registration.letters import organiser_mails
from registration.models import (
    Admission,
    AskedFor,
    CheckIn,
    Consent,
    IdentityKey,
    Participant,
    Places,
    Question,
    QuestionAnswer,
    Registration,
)
from registration.questions import answers
from registration.services import access, announcements, merging
from tests import factories
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conference() -> Conference:
    """A conference."""
    made: Conference = factories.ConferenceFactory()
    return made


@pytest.fixture
def pair(conference: Conference) -> tuple[Participant, Participant]:
    """Somebody twice: the row that stays, and the row that goes."""
    return (
        ParticipantFactory(conference=conference, display_name="Anna Gershuni"),
        ParticipantFactory(conference=conference, display_name="Анна Гершуни", language="ru", function="Judge"),
    )


def admission(conference: Conference, **kwargs: Any) -> Admission:
    """Something that is still to come."""
    starts_at = timezone.now() + timedelta(days=30)
    session = SideEventFactory(conference=conference, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    made: Admission = AdmissionFactory(**{"conference": conference, "session": session} | kwargs)
    return made


def by() -> Actor:
    """An organiser."""
    return Actor.organiser(factories.UserFactory())


def merge(stays: Participant, goes: Participant, *from_other: str) -> Participant:
    """Merge as planned."""
    seen = merging.plan(stays_id=stays.pk, goes_id=goes.pk).seen
    return merging.merge(
        stays_id=stays.pk, goes_id=goes.pk, seen=seen, from_other=from_other, by=by(), now=timezone.now()
    )


def standing(participant: Participant) -> dict[int, str]:
    """Status by admission of what stands."""
    live = Registration.objects.live().filter(participant=participant)
    return dict(live.values_list("admission_id", "status"))


def test_better_one_is_kept_and_a_freed_seat_goes_to_the_next(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    both, line, only = (admission(conference, capacity=2), admission(conference, capacity=1), admission(conference))
    RegistrationFactory(admission=both, participant=stays)
    RegistrationFactory(admission=both, participant=goes)
    RegistrationFactory(admission=line, participant=goes)
    in_line = RegistrationFactory(admission=line, participant=stays, status="waitlisted")
    RegistrationFactory(admission=only, participant=goes, status="pending")
    next_one = RegistrationFactory(admission=both, status="waitlisted")

    merged = merge(stays, goes)

    assert standing(merged) == {both.pk: "confirmed", line.pk: "confirmed", only.pk: "pending"}
    next_one.refresh_from_db()
    in_line.refresh_from_db()
    assert (next_one.status, in_line.status, in_line.position) == ("confirmed", "cancelled", None)
    places = Places.objects.get(admission=both)
    assert (places.taken, places.waiting) == (2, 0)
    assert not Participant.objects.filter(pk=goes.pk).exists()
    assert not IdentityKey.objects.filter(participant_id=goes.pk).exists()
    actions = AuditEntry.objects.filter(about_id__in=[stays.public_id, goes.public_id]).values_list("action", flat=True)
    assert set(actions) == {"participant.merged", "participant.merged_away"}


def test_no_two_seats_in_the_room_and_online(conference: Conference, pair: tuple[Participant, Participant]) -> None:
    stays, goes = pair
    online = admission(conference)
    room = admission(conference, session=online.session, mode="in_person")
    RegistrationFactory(admission=online, participant=stays)
    RegistrationFactory(admission=room, participant=goes)

    merged = merge(stays, goes)

    assert standing(merged) == {online.pk: "confirmed"}
    assert Places.objects.get(admission=room).taken == 0


def test_earlier_place_in_line_is_kept(conference: Conference, pair: tuple[Participant, Participant]) -> None:
    stays, goes = pair
    full = admission(conference, capacity=0)
    first = RegistrationFactory(admission=full, participant=goes, status="waitlisted")
    RegistrationFactory(admission=full, status="waitlisted")
    RegistrationFactory(admission=full, participant=stays, status="waitlisted")

    merge(stays, goes)

    order = list(Registration.objects.in_waiting_order().values_list("pk", "participant"))
    assert order[0] == (first.pk, stays.pk)
    assert len(order) == 2


def test_data_check_ins_answers_consents_and_messages_pass_on(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    Participant.objects.filter(pk=stays.pk).update(accessibility_needs="")
    goes.accessibility_needs = "Captions"
    goes.save()
    registration = RegistrationFactory(admission=admission(conference), participant=goes)
    for person, nonce in ((stays, uuid4()), (goes, uuid4())):
        CheckIn.objects.create(
            conference=conference, participant=person, registration=registration, on_day=NOW.date(), at=NOW,
            received_at=timezone.now() - timedelta(hours=1), nonce=nonce,
        )  # fmt: skip
    question = Question.objects.create(
        conference=conference, kind="text", label={"en": "Which?"}, position=1, retention_days=90
    )
    key = answers.key_of(goes)
    assert key is not None
    (answer,) = answers.sealed([answers.Given(question, "Soup")], key=key, now=NOW)
    answer.participant = goes
    answer.save()
    for at, is_given in ((NOW, True), (NOW + timedelta(days=1), False)):
        Consent.objects.create(
            participant=stays if is_given else goes, purpose="list", is_given=is_given, wording="1", language="en",
            source="form", at=at,
        )  # fmt: skip
    sent = factories.MessageFactory(about_kind="participant", about_id=goes.public_id, state="sent", finished_at=NOW)

    merged = merge(stays, goes, "function")

    assert (merged.function, merged.language, merged.accessibility_needs) == ("Judge", "en", "Captions")
    assert [one.undone_at is None for one in CheckIn.objects.filter(participant=stays).order_by("pk")] == [True, False]
    (kept,) = QuestionAnswer.objects.all()
    own_key = answers.key_of(stays)
    assert own_key is not None
    assert (kept.participant_id, answers.opened(kept, own_key)) == (stays.pk, "Soup")
    newest = Consent.objects.order_by("pk").last()
    assert newest is not None
    assert (newest.participant_id, newest.is_given) == (stays.pk, False)  # taken back later in the other row
    sent.refresh_from_db()
    assert str(sent.about_id) == str(stays.public_id)


def test_link_of_the_other_dies_and_the_address_that_stays_is_told(pair: tuple[Participant, Participant]) -> None:
    stays, goes = pair
    old = goes.personal_token
    other_address = goes.open_identity().email

    merge(stays, goes)
    mail = organiser_mails.tell_merged(Message.objects.get(topic=organiser_mails.MERGED), now=NOW)

    assert access.find_personal(old) is None
    assert access.find_personal(stays.personal_token) == stays
    assert getattr(mail, "to", "") == stays.open_identity().email
    assert other_address not in getattr(mail, "text", other_address)


def test_calendar_entries_of_the_row_that_goes_are_taken_back(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    both, line, offer = (admission(conference) for _each in range(3))
    kept = RegistrationFactory(admission=both, participant=stays)
    twice = RegistrationFactory(admission=both, participant=goes)
    RegistrationFactory(admission=line, participant=stays)
    RegistrationFactory(admission=line, participant=goes, status="waitlisted")
    RegistrationFactory(admission=offer, participant=stays)
    until = NOW + timedelta(hours=2)  # what is only offered stands in no calendar
    RegistrationFactory(admission=offer, participant=goes, status="offered", offer_expires_at=until)

    merge(stays, goes)
    mail = organiser_mails.tell_merged(Message.objects.get(topic=organiser_mails.MERGED), now=NOW)

    parts = [part.content.decode() for part in mail.attachments] if isinstance(mail, Mail) else []
    methods = [line.partition(":")[2] for part in parts for line in part.splitlines() if line.startswith("METHOD")]
    assert methods == ["CANCEL", "REQUEST", "REQUEST", "REQUEST"]
    assert (str(twice.public_id) in parts[0], str(kept.public_id) in parts[1]) == (True, True)


def test_written_message_that_has_not_left_reaches_the_row_that_stays_once(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    rows = [RegistrationFactory(admission=admission(conference), participant=person) for person in pair]
    draft = sent_off(conference, rows)
    Message.objects.filter(about_id=stays.public_id).delete()

    merge(stays, goes)

    topic = Message.objects.filter(topic=organiser_mails.ANNOUNCEMENT, about_id=stays.public_id)
    assert topic.get().key == f"{organiser_mails.key_of(draft)}{stays.public_id}"


def sent_off(conference: Conference, rows: Sequence[Registration]) -> Any:
    """A written message on its way to the people behind registrations."""
    draft = announcements.begin(conference=conference, registration_ids=[row.pk for row in rows], by=by(), now=NOW)
    announcements.word(announcement_id=draft.pk, subject={"en": "x"}, text={"en": "y"}, to_ended=False)
    return announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)


def test_nobody_under_an_alias_or_checked_in_twice_is_merged(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    there = admission(conference)
    for person in pair:
        RegistrationFactory(admission=there, participant=person, status="attended")
    with pytest.raises(merging.BothWereThere):
        merging.plan(stays_id=stays.pk, goes_id=goes.pk)

    Participant.objects.filter(pk=goes.pk).update(has_alias=True)
    for first, second in (pair, reversed(pair)):
        with pytest.raises(merging.CannotMerge):
            merging.plan(stays_id=first.pk, goes_id=second.pk)
    elsewhere = ParticipantFactory(display_name="Anna Gershuni")
    with pytest.raises(merging.CannotMerge):
        merging.plan(stays_id=stays.pk, goes_id=elsewhere.pk)


def test_page_shows_the_plan_and_does_nothing_else(
    conference: Conference, pair: tuple[Participant, Participant], client: Client
) -> None:
    stays, goes = pair
    registration = RegistrationFactory(admission=admission(conference), participant=goes)
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    url = pages.url("duplicate", conference, stays=stays.public_id, goes=goes.public_id)
    page = client.get(url)
    sent = {"seen": page.context["plan"].seen, "function": "goes", "language": "stays"}
    services.cancel(registration_id=registration.pk, by=by(), now=timezone.now())

    late = client.post(url, sent, follow=True)
    is_there = Participant.objects.filter(pk=goes.pk).exists()
    client.post(url, sent | {"seen": late.context["plan"].seen})

    assert "Judge" in page.text
    assert "from the row that goes" in page.text
    assert "Something has changed since you looked" in late.text
    assert is_there
    assert Participant.objects.get().function == "Judge"
    trail = client.get(pages.url("participant-trail", conference, participant=stays.public_id))
    assert "was merged into this one" in trail.text


def test_wishes_pass_on_unless_who_stays_has_asked_for_the_same_thing(
    conference: Conference, pair: tuple[Participant, Participant]
) -> None:
    stays, goes = pair
    same, other = admission(conference), admission(conference)
    for person, wish in ((stays, same), (goes, same), (goes, other)):
        AskedFor.objects.create(participant=person, admission=wish, asked_at=NOW, expires_at=NOW + timedelta(hours=1))
    seen = merging.plan(stays_id=stays.pk, goes_id=goes.pk).seen

    merging.merge(stays_id=stays.pk, goes_id=goes.pk, seen=seen, from_other=(), by=by(), now=NOW)

    assert sorted(AskedFor.objects.values_list("participant", "admission")) == [
        (stays.pk, same.pk), (stays.pk, other.pk)
    ]  # fmt: skip


def test_everything_that_belongs_to_a_person_is_thought_of() -> None:
    passes_on = {"Registration", "CheckIn", "Consent", "TakeDown", "QuestionAnswer", "AskedFor", "SeatPair"}
    dies = {"IdentityKey", "DoorCode", "Certificate", "AddressChange", "MailBounce", "DifferentPeople"}
    forbids = {"Membership", "ProtectedParticipant"}  # the protected appear under an alias

    found = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is Participant
    }

    assert found == passes_on | dies | forbids


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_merging_while_cancelling_gives_every_seat_once() -> None:
    conference = factories.ConferenceFactory()
    full = admission(conference, capacity=2)
    stays, goes = (ParticipantFactory(conference=conference) for _ in range(2))
    rows = [RegistrationFactory(admission=full, participant=person) for person in (stays, goes)]
    waiting = [RegistrationFactory(admission=full, status="waitlisted") for _ in range(3)]
    seen = merging.plan(stays_id=stays.pk, goes_id=goes.pk).seen
    organiser, gate = by(), threading.Barrier(2, timeout=10)

    def run(task: Any) -> str:
        gate.wait()
        try:
            task()
        except merging.PlanChanged:
            return "changed"
        except Registration.DoesNotExist:
            return "gone"
        else:
            return "done"
        finally:
            connection.close()

    tasks = [
        lambda: merging.merge(
            stays_id=stays.pk, goes_id=goes.pk, seen=seen, from_other=(), by=organiser, now=timezone.now()
        ),
        lambda: services.cancel(registration_id=rows[1].pk, by=organiser, now=timezone.now()),
    ]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, tasks))

    places = Places.objects.get(admission=full)
    confirmed = Registration.objects.filter(admission=full, status="confirmed").count()
    assert results[1] == "done"
    assert results[0] in {"done", "changed"}
    assert (places.taken, confirmed, places.waiting) == (2, 2, 2)
    assert Registration.objects.get(pk=waiting[0].pk).status == "confirmed"
