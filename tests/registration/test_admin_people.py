"""People in the admin: read on the record, found and edited without giving anybody under an alias away."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from outbox.models import Message
from registration.models import Participant, RegistrationStatus
from tests.factories import (
    CountryFactory,
    DelegationFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
)
from tests.registration.test_admin import LIST, act, administrator, coming, user

__all__ = ["administrator", "user"]

pytestmark = pytest.mark.django_db


def open_page(client: Client, participant: Participant) -> str:
    """The text of a person's page."""
    return client.get(reverse("admin:registration_participant_change", args=[participant.pk])).text


def test_identity_is_read_on_the_persons_page_and_each_time_on_the_record(administrator: Client, user: User) -> None:
    person = ParticipantFactory(given_name="Grace", family_name="Hopper", email="grace@mail.example",
        accessibility_needs="a ramp",
    )  # fmt: skip

    listed = administrator.get(reverse("admin:registration_participant_changelist")).text
    assert "grace@mail.example" not in listed
    assert not AuditEntry.objects.exists()
    texts = [open_page(administrator, person) for _ in range(2)]

    assert all("Grace Hopper" in text and "grace@mail.example" in text and "a ramp" in text for text in texts)
    assert (
        list(AuditEntry.objects.values_list("action", "actor_user", "about_id", "details"))
        == [("participant.opened", user.pk, person.public_id, {"read": ["identity", "accessibility_needs"]})] * 2
    )


def test_erased_person_is_shown_as_erased(administrator: Client) -> None:
    person = ParticipantFactory(email="grace@mail.example")
    person.identity_key.delete()

    text = open_page(administrator, person)

    assert "Erased." in text
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("page", "prefix"), [("admin:registration_participant_changelist", ""), (LIST, "participant__")]
)
def test_no_list_singles_out_those_under_an_alias(administrator: Client, page: str, prefix: str) -> None:
    admission = coming()
    for has_alias in (True, False):
        person = ParticipantFactory(conference=admission.conference, display_name="Ada Same", has_alias=has_alias)
        RegistrationFactory(admission=admission, participant=person)

    assert "has_alias" not in administrator.get(reverse(page)).text
    for lookup in ("has_alias", "has_alias__exact"):
        assert administrator.get(reverse(page), {f"{prefix}{lookup}": "1"}).status_code == 400


@pytest.mark.parametrize(
    "lookup", ["protection__isnull", "accessibility_needs__gt", "accessibility_needs", "email_index__isnull"]
)
def test_no_address_of_the_list_finds_the_protected_or_who_needs_something(administrator: Client, lookup: str) -> None:
    people = reverse("admin:registration_participant_changelist")

    assert administrator.get(people, {lookup: ""}).status_code == 400
    assert administrator.get(people, {"country__id__exact": "1"}).status_code == 200


def test_no_address_of_the_directory_finds_speakers_who_are_protected(administrator: Client) -> None:
    speakers = reverse("admin:speakers_person_changelist")

    assert administrator.get(speakers, {"protection__isnull": "0"}).status_code == 400
    assert administrator.get(speakers, {"is_hidden__exact": "1"}).status_code == 200


def test_nobody_under_an_alias_is_given_away_anywhere(administrator: Client) -> None:
    admission = coming()
    MeetingFactory(session=admission.session)  # its address is a canary too
    person = ParticipantFactory(conference=admission.conference, display_name="Alias One", has_alias=True,
        given_name="Canary", family_name="Canarowska", email="canary@mail.example",
    )  # fmt: skip
    registration = RegistrationFactory(admission=admission, participant=person, status="pending")
    DelegationFactory(conference=admission.conference)
    act(administrator, "approve_selected", [registration])
    pages = [
        reverse("admin:index"),
        reverse(LIST),
        reverse("admin:registration_registration_change", args=[registration.pk]),
        reverse("admin:registration_registration_history", args=[registration.pk]),
        reverse("admin:registration_participant_changelist"),
        reverse("admin:registration_participant_change", args=[person.pk]),
        reverse("admin:registration_participant_history", args=[person.pk]),
        reverse("admin:registration_admission_change", args=[admission.pk]),
        reverse("admin:events_session_change", args=[admission.session_id]),
        reverse("admin:events_conference_change", args=[admission.conference_id]),
        reverse("admin:events_conference_delete", args=[admission.conference_id]),
        reverse("admin:video_meeting_changelist"),
        reverse("admin:video_meeting_change", args=[admission.session.meeting.pk]),  # type: ignore[union-attr]
        reverse("admin:video_meeting_delete", args=[admission.session.meeting.pk]),  # type: ignore[union-attr]
        reverse("admin:outbox_message_changelist"),
        reverse("admin:outbox_message_change", args=[Message.objects.latest("pk").pk]),
        reverse("admin:accounts_auditentry_changelist"),
        reverse("admin:accounts_auditentry_change", args=[AuditEntry.objects.latest("pk").pk]),
    ]

    texts = {page: administrator.get(page).text for page in pages}
    asked = act(administrator, "cancel_selected", [registration]).text

    assert [page for page, text in texts.items() if "canar" in text.lower()] == []
    assert "canar" not in asked.lower()
    assert "Alias One" in texts[reverse(LIST)]
    assert "Protected by the alias." in texts[reverse("admin:registration_participant_change", args=[person.pk])]
    assert not AuditEntry.objects.filter(action="participant.opened").exists()


@pytest.mark.parametrize(
    ("page", "path"),
    [("admin:registration_participant_changelist", ""), (LIST, "participant")],
)
def test_search_by_whole_address_finds_all_but_those_under_an_alias(
    page: str, path: str, administrator: Client
) -> None:
    admission = coming()
    known = ParticipantFactory(conference=admission.conference, email="grace@mail.example")
    hidden = ParticipantFactory(conference=admission.conference, email="alias@mail.example", display_name="Alias One",
        has_alias=True,
    )  # fmt: skip
    for person in (known, hidden):
        RegistrationFactory(admission=admission, participant=person)

    def found(term: str) -> list[int]:
        rows = administrator.get(reverse(page), {"q": term}).context["cl"].result_list
        return [row.participant_id if path else row.pk for row in rows]

    assert found(" GRACE@mail.example") == [known.pk]
    assert found("alias@mail.example") == []
    assert found("grace@mail.exampl") == []
    assert found("@") == []
    assert found("Alias One") == [hidden.pk]
    assert found(str(hidden.public_id)) == [hidden.pk]


def test_search_for_a_delegation_names_it(administrator: Client) -> None:
    delegation = DelegationFactory(country=CountryFactory(iso2="ZZ", name={"en": "Zedland"}))

    response = administrator.get(
        reverse("admin:autocomplete"),
        {"term": "zed", "app_label": "registration", "model_name": "participant", "field_name": "delegation"},
    )

    assert [row["id"] for row in response.json()["results"]] == [str(delegation.pk)]
    assert "Zedland" in response.json()["results"][0]["text"]


def test_editing_a_person_leaves_no_name_in_the_history(administrator: Client) -> None:
    person = ParticipantFactory(given_name="Canary", family_name="Person")
    sent = {"category": "media", "language": "fr", "display_name": "Somebody Else", "function": "Reporter"}

    response = administrator.post(reverse("admin:registration_participant_change", args=[person.pk]), sent)

    assert response.status_code == 302
    person.refresh_from_db()
    assert (person.category, person.function, person.display_name) == ("media", "Reporter", "Canary Person")
    assert LogEntry.objects.get().object_repr == f"participant {person.public_id.hex[:8]}…"
    assert "canary" not in str(LogEntry.objects.values()).lower()


def test_every_status_has_its_word_in_the_list(administrator: Client) -> None:
    admission = coming()
    for status in ("pending", "confirmed", "waitlisted", "rejected", "cancelled"):
        RegistrationFactory(admission=admission, status=status)

    text = administrator.get(reverse(LIST)).text

    assert all(str(RegistrationStatus(status).label) in text for status in ("pending", "confirmed", "waitlisted"))
