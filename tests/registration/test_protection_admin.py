"""The pages of protection in the admin: for officers alone, opened by who is named, with a reason."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Role, RoleKind, SafeOpening, User
from events import page_cache
from events.admin import pages
from outbox.models import Message
from registration.admin import protection as protection_admin
from registration.models import Participant, ProtectedParticipant
from speakers import protection as speaking
from speakers.models import Protection
from tests.factories import ContributionFactory, CountryFactory, ParticipantFactory, UserFactory

pytestmark = pytest.mark.django_db


def officer(person: Participant, kind: RoleKind = RoleKind.PROTECTION) -> tuple[Client, User]:
    """Somebody with a role at the conference, signed in."""
    user: User = UserFactory.create()
    Role.objects.create(user=user, conference=person.conference, kind=kind)
    client = Client()
    client.force_login(user)
    return client, user


def test_an_officer_protects_and_a_named_reader_opens() -> None:
    person: Participant = ParticipantFactory.create(country=CountryFactory.create(name={"en": "Canaryland"}))
    client, _setter = officer(person)
    other, reader = officer(person)
    _third, guardian = officer(person, RoleKind.DESK)
    url = pages.url("protection-person", person.conference, somebody=person.public_id)
    full_name = person.open_identity().full_name
    client.get(url)
    form = {
        "save": "1",
        "alias": "Kestrel",
        "hides_country": "on",
        "note": "Speaks Kazakh.",
        "readers": [str(reader.pk)],
        "guardians": [str(guardian.pk)],
    }
    assert client.post(url, form).status_code == 302
    assert ProtectedParticipant.objects.get().hides_country
    page = client.get(url).content.decode()
    assert full_name not in page
    assert "Canaryland" not in page
    assert "Kazakh" not in page
    refused = client.post(url, {"open": "1", "reason": "I am curious about it."})
    assert "Canaryland" not in refused.content.decode()
    assert not SafeOpening.objects.exists()
    opened = other.post(url, {"open": "1", "reason": "The visa office asks."})
    text = opened.content.decode()
    assert full_name in text
    assert "Canaryland" in text
    assert "no-store" in opened["Cache-Control"]
    assert "The visa office asks." in client.get(url).content.decode()
    assert Message.objects.filter(topic="safe.told", about_id=guardian.public_id).count() == 2
    listed = client.get(pages.url("protection", person.conference)).content.decode()
    assert "Kestrel" in listed


def test_all_who_are_protected_are_listed_by_name_or_the_page_says_that_there_are_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first: Participant = ParticipantFactory.create()
    client, _user = officer(first)
    people = [first, *(ParticipantFactory.create(conference=first.conference) for _again in range(2))]
    for person, alias in zip(people, ("Wren", "Robin", "Kestrel"), strict=True):
        url = pages.url("protection-person", first.conference, somebody=person.public_id)
        assert client.post(url, {"save": "1", "alias": alias}).status_code == 302
    listed = pages.url("protection", first.conference)

    everybody = client.get(listed)
    monkeypatch.setattr(protection_admin, "_MOST_PROTECTED", 2)
    cut = client.get(listed)

    assert [row["name"] for row in everybody.context["rows"]] == ["Kestrel", "Robin", "Wren"]
    assert "Only the first" not in everybody.content.decode()
    assert [row["name"] for row in cut.context["rows"]] == ["Kestrel", "Robin"]
    assert "Only the first 2 of each kind" in cut.content.decode()


def test_others_see_neither_page_nor_tab() -> None:
    person: Participant = ParticipantFactory.create()
    url = pages.url("protection-person", person.conference, somebody=person.public_id)
    for kind in (RoleKind.ORGANISER, RoleKind.DESK):
        client, _user = officer(person, kind)
        assert client.get(url).status_code in {403, 404}
        start = client.get(pages.url("programme", person.conference)).content.decode()
        assert "/protection/" not in start


def test_a_speaker_is_protected_on_the_same_page() -> None:
    person: Participant = ParticipantFactory.create()
    client, _user = officer(person)
    seat = ContributionFactory.create(session__conference=person.conference, role_title={"en": "Head of Canary House"})
    url = pages.url("protection-speaker", person.conference, somebody=seat.person.public_id)
    assert "pages, feeds, API and documents" in client.get(url).content.decode()
    assert client.post(url, {"save": "1", "hides_organisation": "on", "no_recording": "on"}).status_code == 302
    assert Protection.objects.get().hides_organisation
    assert speaking.unrecorded([seat.session_id]) == {seat.session_id}
    stranger = ContributionFactory.create()
    other = pages.url("protection-speaker", person.conference, somebody=stranger.person.public_id)
    assert client.get(other).status_code == 404


def test_saving_at_one_conference_keeps_whom_another_has_named() -> None:
    here, there = ParticipantFactory.create(), ParticipantFactory.create()
    seat = ContributionFactory.create(session__conference=here.conference)
    ContributionFactory.create(person=seat.person, session__conference=there.conference)
    (first, _one), (_client, reader), (second, _two) = officer(here), officer(here), officer(there)
    _other, guardian = officer(here, RoleKind.DESK)
    urls = [pages.url("protection-speaker", one.conference, somebody=seat.person.public_id) for one in (here, there)]
    named = {"save": "1", "readers": [str(reader.pk)], "guardians": [str(guardian.pk)]}
    assert first.post(urls[0], named).status_code == 302
    form = second.get(urls[1]).context["form"]
    sent = {"save": "1", "no_photo": "on"} | {name: form[name].value() for name in ("readers", "guardians")}
    assert second.post(urls[1], sent).status_code == 302
    keepers = Protection.objects.get().safe.keepers
    assert set(keepers.values_list("user", "may_open")) == {(reader.pk, True), (guardian.pk, False)}


def test_the_public_page_asks_everybody_not_to_record(client: Client) -> None:
    person: Participant = ParticipantFactory.create()
    officers, _user = officer(person)
    seat = ContributionFactory.create(session__conference=person.conference)
    address = seat.session.get_absolute_url()
    assert "is not recorded" not in client.get(address).content.decode()
    url = pages.url("protection-speaker", person.conference, somebody=seat.person.public_id)
    officers.post(url, {"save": "1", "no_recording": "on"})
    page_cache.forget()
    assert "is not recorded" in client.get(address).content.decode()
