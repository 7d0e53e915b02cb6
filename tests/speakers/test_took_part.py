"""Marking in the admin who took part."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from speakers.models import Contribution, TookPart
from tests.factories import ContributionFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def mark(client: Client, *rows: Contribution) -> int:
    """Send the action for the rows; the status of the answer."""
    data = {"action": "mark_took_part", "_selected_action": [row.pk for row in rows]}
    return client.post(reverse("admin:speakers_contribution_changelist"), data).status_code


def test_chosen_contributions_are_marked_and_the_history_says_so_once(client: Client) -> None:
    client.force_login(StaffFactory())
    there = ContributionFactory(took_part=TookPart.YES)
    marked = ContributionFactory(took_part=TookPart.NO)
    other = ContributionFactory()

    assert mark(client, there, marked) == 302

    assert dict(Contribution.objects.values_list("pk", "took_part")) == {
        there.pk: TookPart.YES,
        marked.pk: TookPart.YES,
        other.pk: TookPart.UNKNOWN,
    }
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(marked.pk)]


def test_somebody_who_may_only_look_cannot_mark(client: Client) -> None:
    row = ContributionFactory()
    user = UserFactory(is_staff=True)
    client.force_login(user)

    assert mark(client, row) == 403
    row.refresh_from_db()
    assert row.took_part == TookPart.UNKNOWN
