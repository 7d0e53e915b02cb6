"""People who speak, in the admin: a pseudonym is the whole name there as well."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from speakers.models import Affiliation, Person
from tests.factories import AffiliationFactory, ContributionFactory, PersonFactory, StaffFactory

pytestmark = pytest.mark.django_db
OTHER_NAMES = ["given_name", "family_name", "sort_name", "post_nominals", "aliases", "biography_en", "internal_note"]


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


def form(**more: str) -> dict[str, str]:
    """What the page of a person sends, and more."""
    return {
        "display_name": "Alias One", "key": "alias-one", "affiliations-TOTAL_FORMS": "0",
        "affiliations-INITIAL_FORMS": "0", **more,
    }  # fmt: skip


def test_pseudonym_has_no_fields_for_another_name(administrator: Client) -> None:
    alias = PersonFactory(display_name="Alias One", is_pseudonym=True)
    other = PersonFactory()

    pages = {
        person: administrator.get(reverse("admin:speakers_person_change", args=[person.pk])).text
        for person in (alias, other)
    }

    assert [name for name in OTHER_NAMES if f'name="{name}"' in pages[alias]] == []
    assert [name for name in OTHER_NAMES if f'name="{name}"' not in pages[other]] == []


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_pseudonym_beside_another_name_is_refused(name: str, administrator: Client) -> None:
    sent = form(is_pseudonym="on", **{name: "Canary"})

    response = administrator.post(reverse("admin:speakers_person_add"), sent)

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not Person.objects.exists()


def test_posting_another_name_to_a_pseudonym_changes_nothing(administrator: Client) -> None:
    alias = PersonFactory(display_name="Alias One", is_pseudonym=True)
    sent = form(is_pseudonym="on", key=alias.key, **dict.fromkeys(OTHER_NAMES, "Canary"))

    administrator.post(reverse("admin:speakers_person_change", args=[alias.pk]), sent)

    assert "Canary" not in str(Person.objects.values().get())


def affiliated(**more: str) -> dict[str, str]:
    """What the page of a person sends with one affiliation that is new."""
    return form(**{"affiliations-TOTAL_FORMS": "1", "affiliations-0-role_title_en": "Adviser"} | more)


def test_affiliation_beside_a_pseudonym_is_refused(administrator: Client) -> None:
    add = reverse("admin:speakers_person_add")

    response = administrator.post(add, affiliated(is_pseudonym="on"))

    assert "Delete the affiliations" in response.text
    assert not Person.objects.exists()
    administrator.post(add, affiliated())
    assert Affiliation.objects.get().person.display_name == "Alias One"


def test_posting_an_affiliation_to_a_pseudonym_changes_nothing(administrator: Client) -> None:
    alias = PersonFactory(display_name="Alias One", is_pseudonym=True)
    change = reverse("admin:speakers_person_change", args=[alias.pk])

    administrator.post(change, affiliated(is_pseudonym="on", key=alias.key))

    assert "affiliations-0" not in administrator.get(change).text
    assert not Affiliation.objects.exists()


def test_person_becomes_a_pseudonym_only_with_a_new_key_and_without_traces(administrator: Client) -> None:
    person = PersonFactory(key="doe-jane", given_name="Jane", family_name="Doe")
    affiliation = AffiliationFactory(person=person)
    contribution = ContributionFactory(person=person, name_printed="Jane Doe")
    change = reverse("admin:speakers_person_change", args=[person.pk])
    kept = affiliated(
        **{
            "is_pseudonym": "on",
            "affiliations-INITIAL_FORMS": "1",
            "affiliations-0-id": str(affiliation.pk),
            "affiliations-0-person": str(person.pk),
        }
    )

    refused = administrator.post(change, kept | {"key": "doe-jane"})

    assert set(refused.context["adminform"].form.errors) == {"key", "__all__"}
    assert "Delete the affiliations" in refused.text
    contribution.name_printed = ""
    contribution.save()
    administrator.post(change, kept | {"affiliations-0-DELETE": "on"})
    assert not Affiliation.objects.exists()
    stored = Person.objects.values().get()
    assert (stored["key"], stored["display_name"], stored["is_pseudonym"]) == ("alias-one", "Alias One", True)
    assert "Jane" not in str(stored)
    assert "Doe" not in str(stored)


def test_earlier_pseudonym_does_not_stay_when_it_is_changed(administrator: Client) -> None:
    alias = PersonFactory(display_name="Ivan", given_name="Ivan", sort_name="Ivan", is_pseudonym=True)

    sent = form(is_pseudonym="on", key=alias.key)
    administrator.post(reverse("admin:speakers_person_change", args=[alias.pk]), sent)

    assert Person.objects.get().display_name == "Alias One"
    assert "Ivan" not in str(Person.objects.values().get())


def test_pseudonym_has_no_other_printed_name(administrator: Client) -> None:
    contribution = ContributionFactory(person__is_pseudonym=True)
    sent = {
        "session": str(contribution.session.pk), "person": str(contribution.person.pk), "position": "1",
        "role": "speaker", "status": "confirmed", "visibility": "before", "took_part": "unknown",
        "name_printed": "Canary",
    }  # fmt: skip

    response = administrator.post(reverse("admin:speakers_contribution_change", args=[contribution.pk]), sent)

    assert set(response.context["adminform"].form.errors) == {"name_printed"}


def test_hiding_a_person_is_one_box(administrator: Client) -> None:
    person = PersonFactory(given_name="", family_name="")

    administrator.post(reverse("admin:speakers_person_change", args=[person.pk]), form(is_hidden="on", key=person.key))

    assert Person.objects.get().is_hidden
    assert not Person.objects.visible().exists()
