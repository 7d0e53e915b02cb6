"""People who speak, in the admin: a pseudonym is the whole name there as well."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from speakers.models import Person
from tests.factories import PersonFactory, StaffFactory

pytestmark = pytest.mark.django_db
OTHER_NAMES = ["given_name", "family_name", "sort_name", "post_nominals", "aliases", "biography_en"]


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
    alias = PersonFactory(display_name="Alias One", given_name="", family_name="", is_pseudonym=True)
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
    alias = PersonFactory(display_name="Alias One", given_name="", family_name="", is_pseudonym=True)
    sent = form(is_pseudonym="on", key=alias.key, **dict.fromkeys(OTHER_NAMES, "Canary"))

    administrator.post(reverse("admin:speakers_person_change", args=[alias.pk]), sent)

    assert "Canary" not in str(Person.objects.values().get())


def test_hiding_a_person_is_one_box(administrator: Client) -> None:
    person = PersonFactory(given_name="", family_name="")

    administrator.post(reverse("admin:speakers_person_change", args=[person.pk]), form(is_hidden="on", key=person.key))

    assert Person.objects.get().is_hidden
    assert not Person.objects.visible().exists()
