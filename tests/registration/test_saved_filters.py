"""Named filters of the list of registrations: kept per user, without what was typed, twenty at most."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from events.models import SavedFilter
from events.saved_filters import MOST
from tests.factories import RegistrationFactory, RoleFactory

pytestmark = pytest.mark.django_db

LIST = "admin:registration_registration_changelist"
KEEP = "admin:registration_registration_saved_filters"


def test_filter_is_kept_for_one_user_without_typed_words(client: Client) -> None:
    registration = RegistrationFactory()
    conference = registration.admission.conference
    client.force_login(RoleFactory(conference=conference).user)
    query = "status__exact=confirmed&q=Grace&p=2"

    answer = client.post(reverse(KEEP), {"name": "  Who   comes ", "query": query}, follow=True)

    saved = SavedFilter.objects.get()
    assert (saved.name, saved.query) == ("Who comes", "status__exact=confirmed")
    assert answer.status_code == 200
    assert [one["is_current"] for one in answer.context["saved_filters"]] == [True]
    assert 'aria-current="true">Who comes</a>' in answer.text

    other = Client()
    other.force_login(RoleFactory(conference=conference).user)
    assert other.get(reverse(LIST)).context["saved_filters"] == []
    other.post(reverse(KEEP), {"delete": "Who comes"})
    assert SavedFilter.objects.exists()
    client.post(reverse(KEEP), {"delete": "Who comes"})
    assert not SavedFilter.objects.exists()


def test_words_alone_and_a_twenty_first_are_refused(client: Client) -> None:
    user = RoleFactory().user
    client.force_login(user)
    SavedFilter.objects.bulk_create(
        SavedFilter(user=user, page="registration.registration", name=f"Filter {n}", query="o=1") for n in range(MOST)
    )

    words = client.post(reverse(KEEP), {"name": "Her", "query": "q=Grace"}, follow=True)
    many = client.post(reverse(KEEP), {"name": "One more", "query": "o=2"}, follow=True)
    client.post(reverse(KEEP), {"name": "Filter 1", "query": "o=3"})

    assert "words typed into the search are not saved" in words.text
    assert "Twenty filters are saved already." in many.text
    assert SavedFilter.objects.count() == MOST
    assert SavedFilter.objects.get(name="Filter 1").query == "o=3"
    assert client.get(reverse(KEEP)).status_code == 405


def test_empty_list_says_what_to_do(client: Client) -> None:
    client.force_login(RoleFactory().user)

    assert "Nobody has registered yet." in client.get(reverse(LIST)).text
    assert "Nothing matches." in client.get(reverse(LIST), {"status__exact": "pending"}).text
