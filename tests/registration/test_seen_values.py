"""Forms on the pages of a conference: what somebody else has saved meanwhile is not overwritten unseen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from events.admin import pages
from events.models import Conference
from registration.models import Announcement, Participant, ProtectedParticipant, Question
from registration.services import announcements, consents, data_life
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, StaffFactory, UserFactory
from tests.registration.test_questions import ask

pytestmark = pytest.mark.django_db
MEANWHILE = "Somebody else has changed this meanwhile."


@pytest.fixture
def person() -> Participant:
    """Somebody who is registered for a conference."""
    admission = AdmissionFactory(session=None, mode="in_person")
    made: Participant = ParticipantFactory(conference=admission.conference)
    RegistrationFactory(admission=admission, participant=made)
    return made


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(StaffFactory())
    return client


def carried(page: Any, name: str = "seen") -> str:
    """What the form on a page was opened with."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found is not None
    return found[1]


def periods(conference: Conference, _person: Participant) -> tuple[str, str, dict[str, Any], Any, Callable[[], Any]]:
    def other() -> None:
        data_life.set_periods(conference=conference, days={"needs": 7}, by=actors.SYSTEM, now=NOW)

    names = ("data-life", "data-life-save")
    return (*names, {"days-needs": "400"}, other, lambda: data_life.periods(conference)["needs"])


def asked(conference: Conference, _person: Participant) -> tuple[str, str, dict[str, Any], Any, Callable[[], Any]]:
    def other() -> None:
        consents.ask_for(conference=conference, purposes=["photo"], by=actors.SYSTEM, now=NOW)

    def stands() -> list[str]:
        return [str(one) for one in consents.asked(Conference.objects.get(pk=conference.pk))]

    return "consents", "consents-ask", {"purpose": ["stream"]}, other, stands


def order(conference: Conference, _person: Participant) -> tuple[str, str, dict[str, Any], Any, Callable[[], Any]]:
    first, second = ask(conference), ask(conference)

    def other() -> None:
        Question.objects.filter(pk=second.pk).update(position=50)

    def stands() -> list[int]:
        return list(Question.objects.order_by("pk").values_list("position", flat=True))

    return "questions", "questions", {f"position-{first.pk}": "9"}, other, stands


@pytest.mark.parametrize("form", [periods, asked, order])
def test_a_stale_form_changes_nothing_and_says_so(
    organiser: Client, person: Participant, form: Callable[..., Any]
) -> None:
    conference = person.conference
    shown, sent_to, values, other, stands = form(conference, person)
    seen = carried(organiser.get(pages.url(shown, conference)))
    other()
    before = stands()

    stale = organiser.post(pages.url(sent_to, conference), values | {"seen": seen}, follow=True)
    unchanged = stands()
    again = organiser.post(pages.url(sent_to, conference), values | {"seen": carried(stale)}, follow=True)

    assert MEANWHILE in stale.text
    assert unchanged == before
    assert MEANWHILE not in again.text
    assert stands() != before


def test_the_order_of_questions_is_on_the_record_without_their_words(organiser: Client, person: Participant) -> None:
    first, _second = ask(person.conference), ask(person.conference)
    sent = {f"position-{first.pk}": "9", "position-999999999": "3", "position-x": "1", "position-٣": "1"}

    organiser.post(pages.url("questions", person.conference), sent)

    entry = AuditEntry.objects.get(action="conference.questions_arranged")
    assert entry.details == {"from": {str(first.public_id): 1}, "to": {str(first.public_id): 9}}


def test_two_officers_do_not_undo_unseen_what_the_other_hides(organiser: Client, person: Participant) -> None:
    url = pages.url("protection-person", person.conference, somebody=person.public_id)
    seen = carried(organiser.get(url))
    other = Client()
    other.force_login(UserFactory(is_staff=True, is_superuser=True))
    other.post(url, {"save": "1", "alias": "Wren", "hides_country": "on", "seen": seen})

    stale = organiser.post(url, {"save": "1", "alias": "Robin", "no_photo": "on", "seen": seen})
    ended = organiser.post(url, {"lift": "1", "seen": seen})

    found = ProtectedParticipant.objects.get()
    person.refresh_from_db()
    assert MEANWHILE in stale.text
    assert MEANWHILE in ended.text
    assert (found.hides_country, found.no_photo, person.display_name) == (True, False, "Wren")
    assert MEANWHILE not in organiser.post(url, {"lift": "1", "seen": carried(ended)}).text  # but is no keeper


def test_the_words_of_a_message_are_not_overwritten_unseen_and_nothing_typed_is_lost(
    organiser: Client, person: Participant
) -> None:
    conference = person.conference
    rows = list(person.registrations.values_list("pk", flat=True))
    made = announcements.begin(conference=conference, registration_ids=rows, by=actors.SYSTEM, now=NOW)
    url = pages.url("message", conference, message=made.public_id)
    seen = carried(organiser.get(url))
    announcements.word(announcement_id=made.pk, subject={"en": "Theirs"}, text={"en": "Theirs"}, to_ended=False)

    mine = {"save": "1", "subject_en": "Mine", "text_en": "Mine"}
    stale = organiser.post(url, mine | {"seen": seen})
    kept = Announcement.objects.get().subject
    organiser.post(url, mine | {"seen": carried(stale)})

    assert MEANWHILE in stale.text
    assert 'value="Mine"' in stale.text
    assert kept == {"en": "Theirs"}
    assert Announcement.objects.get().subject == {"en": "Mine"}


def test_a_capacity_that_somebody_else_has_changed_is_shown_first(organiser: Client) -> None:
    admission = AdmissionFactory(capacity=10)
    url = f"/admin/registration/admission/{admission.pk}/capacity/"
    was = carried(organiser.get(url), "was")
    organiser.post(url, {"capacity": "20", "was": was})

    stale = organiser.post(url, {"capacity": "15", "was": was})
    admission.places.refresh_from_db()
    kept = admission.places.capacity
    organiser.post(url, {"capacity": "15", "was": carried(stale, "was")})
    admission.places.refresh_from_db()

    assert MEANWHILE in stale.text
    assert (kept, admission.places.capacity) == (20, 15)
