"""Two organisers at the same form: nobody overwrites the other unseen, and nothing typed is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.core import signing
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from alliance.admin import versions
from events.models import Country, Segment, Session
from speakers.models import Contribution, Person
from tests import forms
from tests.factories import (
    ConferenceFactory,
    ContributionFactory,
    CountryFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db


def browser_of(name: str) -> Client:
    """A browser in which an administrator of that name is signed in."""
    client = Client()
    client.force_login(StaffFactory(name=name))
    return client


@pytest.fixture
def ada() -> Client:
    """The first organiser."""
    return browser_of("Ada")


@pytest.fixture
def bob() -> Client:
    """The second organiser."""
    return browser_of("Bob")


def change(row: Any) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def opened(client: Client, row: Any) -> dict[str, Any]:
    """What the browser would send if nothing were typed, the hidden version included."""
    response = client.get(change(row))
    assert response.status_code == 200
    return sent_by(response)


def sent_by(response: Any) -> dict[str, Any]:
    """The fields of a page as it stands."""
    return forms.fields(response.text, f"{response.context['opts'].model_name}_form")


def conflict_of(response: Any) -> list[tuple[str, str, str, str, str]]:
    """The table of differences."""
    assert response.status_code == 200
    return [
        (line.label, line.before, line.theirs, line.mine, line.taken) for line in response.context["conflict"] or []
    ]


def test_two_who_change_the_same_field_are_shown_both_versions(ada: Client, bob: Client) -> None:
    session = SessionFactory(title={"en": "Panel"}, internal_note="old")
    of_ada, of_bob = opened(ada, session), opened(bob, session)

    first = bob.post(change(session), of_bob | {"title_en": "Panel of Bob", "internal_note": "by Bob"})
    second = ada.post(change(session), of_ada | {"title_en": "Panel of Ada"})

    assert first.status_code == 302
    assert sorted(conflict_of(second)) == [
        ("Internal note", "old", "by Bob", "", "theirs"),
        ("Title", "en: Panel", "en: Panel of Bob", "en: Panel of Ada", "mine"),
    ]
    assert "Bob saved it at" in second.text
    session.refresh_from_db()
    assert (str(session.title), session.internal_note) == ("Panel of Bob", "by Bob")
    # What Ada typed is in the form; what only Bob changed is there as Bob saved it. Saving again is deliberate.
    again = ada.post(change(session), sent_by(second))
    assert again.status_code == 302
    session.refresh_from_db()
    assert (str(session.title), session.internal_note) == ("Panel of Ada", "by Bob")


def test_without_the_guard_the_second_overwrites_the_first(ada: Client, bob: Client) -> None:
    session = SessionFactory(internal_note="old")
    of_ada, of_bob = opened(ada, session), opened(bob, session)

    with mock.patch("alliance.admin.versions.conflict", return_value=None):
        bob.post(change(session), of_bob | {"internal_note": "by Bob"})
        ada.post(change(session), of_ada | {"title_en": "Panel of Ada"})

    session.refresh_from_db()
    assert session.internal_note == "old"  # what the guard is for


def test_form_that_was_refused_keeps_the_version_it_was_opened_with(ada: Client, bob: Client) -> None:
    session = SessionFactory(internal_note="old")
    of_ada, of_bob = opened(ada, session), opened(bob, session)

    refused = ada.post(change(session), of_ada | {"slug": "no slug!"})
    bob.post(change(session), of_bob | {"internal_note": "by Bob"})
    second = ada.post(change(session), sent_by(refused) | {"slug": "slug"})

    assert conflict_of(second) == [("Internal note", "old", "by Bob", "", "theirs")]


def test_saving_twice_in_a_row_is_no_conflict_with_oneself(ada: Client) -> None:
    session = SessionFactory()
    SegmentFactory(session=session)
    ContributionFactory(session=session)

    for title in ("One", "Two"):
        response = ada.post(change(session), opened(ada, session) | {"title_en": title})
        assert response.status_code == 302


def test_change_of_an_inline_is_seen_from_either_page(ada: Client, bob: Client) -> None:
    contribution = ContributionFactory(role="speaker", status="tbc")
    session = contribution.session
    of_ada, of_bob = opened(ada, session), opened(bob, contribution)

    bob.post(change(contribution), of_bob | {"status": "confirmed"})
    second = ada.post(change(session), of_ada | {"title_en": "By Ada"})
    assert conflict_of(second) == [
        (f"Contribution #{contribution.pk}: Status", "To be confirmed", "Confirmed", "", "theirs")
    ]
    of_bob = opened(bob, contribution)
    assert ada.post(change(session), sent_by(second) | {"contributions-0-role": "chair"}).status_code == 302

    third = bob.post(change(contribution), of_bob | {"role": "moderator"})
    assert conflict_of(third) == [("Role", "Speaker", "Chair", "Moderator", "mine")]
    assert Contribution.objects.values_list("role", "status").get() == ("chair", "confirmed")


def test_row_that_was_deleted_meanwhile_stays_as_a_new_one(ada: Client, bob: Client) -> None:
    session = SessionFactory()
    first, second = SegmentFactory(session=session, position=1), SegmentFactory(session=session, position=2)
    of_ada, of_bob = opened(ada, session), opened(bob, session)
    typed = {"segments-0-heading_en": "Typed by Ada"}

    assert bob.post(change(session), of_bob | {"segments-0-DELETE": "on"}).status_code == 302
    response = ada.post(change(session), of_ada | typed)

    assert [line[0] for line in conflict_of(response)] == [f"Segment #{first.pk}"]
    assert list(session.segments.all()) == [second]
    assert "Typed by Ada" in response.text
    assert ada.post(change(session), sent_by(response)).status_code == 302
    again = session.segments.exclude(pk=second.pk).get()
    assert (again.pk != first.pk, str(again.heading)) == (True, "Typed by Ada")


def test_row_that_was_added_meanwhile_is_told_and_stays(ada: Client, bob: Client) -> None:
    session = SessionFactory()
    of_ada = opened(ada, session)
    segment = SegmentFactory(session=session, key="added")

    response = ada.post(change(session), of_ada)

    ((label, before, theirs, _mine, _taken),) = conflict_of(response)
    assert (label, before, "added" in theirs) == (f"Segment #{segment.pk}", "", True)
    assert "an import, another list or a program" in response.text
    assert ada.post(change(session), sent_by(response)).status_code == 302
    assert Segment.objects.get() == segment


@pytest.mark.parametrize(
    ("factory", "field", "typed"),
    [
        (ConferenceFactory, "internal_note", {"title_en": "Other"}),
        (PersonFactory, "internal_note", {"display_name": "Other"}),
    ],
)
def test_every_form_has_the_guard(factory: Any, field: str, typed: dict[str, str], ada: Client, bob: Client) -> None:
    row = factory(**{field: "old"})
    of_ada, of_bob = opened(ada, row), opened(bob, row)

    assert bob.post(change(row), of_bob | {field: "by Bob"}).status_code == 302
    response = ada.post(change(row), of_ada | typed)

    assert [(line[1], line[2], line[4]) for line in conflict_of(response)] == [("old", "by Bob", "theirs")]
    assert type(row).objects.values_list(field, flat=True).get() == "by Bob"


def test_what_was_typed_into_a_deleted_row_is_shown(ada: Client) -> None:
    session = SessionFactory()
    address, sent = change(session), opened(ada, session)
    session.delete()

    response = ada.post(address, sent | {"title_en": "Typed <by> Ada"})

    assert response.status_code == 410
    assert "Typed &lt;by&gt; Ada" in response.text
    assert not {name for name, _value in response.context["typed"]} & {versions.FIELD, "segments-TOTAL_FORMS"}
    assert ada.get(address).status_code == 404


@pytest.mark.parametrize("forged", ["", "nonsense", "other"])
def test_version_of_another_row_or_of_nobody_is_a_conflict(forged: str, ada: Client) -> None:
    country, other = CountryFactory(iso2="ZZ"), CountryFactory(iso2="ZY")
    seen = opened(ada, other)[versions.FIELD][0] if forged == "other" else forged

    response = ada.post(change(country), opened(ada, country) | {versions.FIELD: seen, "name_en": "Typed"})

    assert response.status_code == 200
    assert "cannot be told which version" in response.text
    assert 'value="Typed"' in response.text
    assert str(Country.objects.get(iso2="ZZ").name) != "Typed"


def test_hash_of_a_password_is_not_in_the_page(ada: Client) -> None:
    user = User.objects.create_user("somebody@office.example", "a long pass phrase")

    response = ada.get(change(user))

    assert "password" not in signing.loads(response.context["seen"], salt=versions._SALT)["row"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_requests_at_the_same_moment_end_in_one_save_and_one_conflict() -> None:
    session = SessionFactory(internal_note="old")
    clients = [browser_of("Ada"), browser_of("Bob")]
    sent = [opened(client, session) | {"internal_note": f"by {n}"} for n, client in enumerate(clients)]
    gate = threading.Barrier(2, timeout=10)

    def send(number: int) -> int:
        try:
            gate.wait()
            return clients[number].post(change(session), sent[number]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, range(2)))

    assert sorted(answers) == [200, 302]
    session.refresh_from_db()
    assert session.internal_note == f"by {answers.index(302)}"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_form_waits_for_a_save_that_has_begun_and_then_sees_it() -> None:
    """The second request arrives while the first is between reading and committing."""
    session, client = SessionFactory(internal_note="old"), browser_of("Ada")
    sent = opened(client, session) | {"internal_note": "by Ada"}

    def send() -> int:
        try:
            return client.post(change(session), sent).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Session.objects.select_for_update().get(pk=session.pk)
            answer = pool.submit(send)
            with pytest.raises(TimeoutError):
                answer.result(timeout=1)  # it waits for the row
            Session.objects.filter(pk=session.pk).update(internal_note="by Bob")
        assert answer.result(timeout=10) == 200

    session.refresh_from_db()
    assert session.internal_note == "by Bob"
    assert Person.objects.count() == 0
