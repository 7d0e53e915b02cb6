"""Reserves in a programme file, in a copied edition, and for programs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from events import cloning, programme_checks, programme_file
from events.models import Conference
from registration.models import Admission, Places, Reserve
from tests.events.programme_files import SMALL
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db


def facts() -> list[tuple[list[str], int, bool]]:
    """All reserves: for whom, how many, whether given back."""
    return [(one.categories, one.places, one.released_at is not None) for one in Reserve.objects.order_by("pk")]


def test_a_file_changes_sets_up_and_gives_back_reserves() -> None:
    programme_file.load(SMALL.encode())
    admission = Admission.objects.filter(session__isnull=False).earliest("pk")
    Places.objects.filter(pk=admission.pk).update(capacity=50)
    for category in ("media", "academia", "business"):
        Reserve.objects.create(admission=admission, categories=[category], places=5)
    exported = programme_file.export(Conference.objects.get())
    same, grows, used = Reserve.objects.order_by("pk")
    Reserve.objects.filter(pk=grows.pk).update(places=9)
    Reserve.objects.create(admission=admission, categories=["other"], places=1)
    taken = Reserve.objects.create(admission=admission, categories=["delegation"], places=1)
    RegistrationFactory(admission=admission, reserve=taken)
    same.delete()

    again = programme_file.load(exported)

    assert facts() == [
        (["academia"], 5, False),
        (["business"], 5, False),
        (["delegation"], 1, True),
        (["media"], 5, False),
    ]
    assert used.pk in set(Reserve.objects.values_list("pk", flat=True))
    assert any("reserves" in line for line in again.lines)
    assert Places.objects.get(pk=admission.pk).held == 15
    assert programme_file.load(exported).lines == []


@pytest.mark.parametrize(
    ("reserve", "problem"),
    [
        ("{categories: [nobody], places: 1}", "is not known"),
        ("{categories: [], places: 1}", "names nobody"),
        ("{categories: [media], places: 9}", "more than the capacity"),
        ("{categories: [media]}", "places"),
    ],
)
def test_a_reserve_that_cannot_be_is_a_problem_of_the_file(reserve: str, problem: str) -> None:
    programme_file.load(SMALL.encode())
    exported = programme_file.export(Conference.objects.get()).decode()
    listed = "conference:\n  admissions:\n  - mode: online\n    capacity: 5\n    reserves:\n    - "
    text = exported.replace("conference:\n", f"{listed}{reserve}\n", 1)
    assert listed in text

    with pytest.raises(programme_file.InvalidFile) as refused:
        programme_file.load(text.encode())

    assert any(problem in str(one) for one in refused.value.problems)


def test_a_copied_edition_has_its_reserves_with_moved_times() -> None:
    source = ConferenceFactory()
    admission = AdmissionFactory(session=SideEventFactory(conference=source), capacity=20)
    returns_at = NOW + dt.timedelta(days=5)
    Reserve.objects.create(admission=admission, categories=["media"], places=3, returns_at=returns_at)
    Reserve.objects.create(admission=admission, categories=["other"], places=2, returns_at=NOW, released_at=NOW)
    Reserve.objects.create(admission=admission, categories=["academia"], places=2, released_at=NOW)  # by hand
    assert source.starts_on is not None

    target = cloning.clone(
        conference_id=source.pk,
        slug="next",
        edition=99,
        starts_on=source.starts_on + dt.timedelta(days=364),
    )

    copied = Reserve.objects.filter(admission__conference_id=target.pk).order_by("pk")
    assert [(one.categories, one.places, one.taken, one.released_at) for one in copied] == [
        (["media"], 3, 0, None),
        (["other"], 2, 0, None),
    ]
    assert copied[0].returns_at is not None
    assert copied[0].returns_at.date() == (returns_at + dt.timedelta(days=364)).date()
    assert Places.objects.get(admission__conference_id=target.pk).held == 5


def test_reserves_are_checked_before_publishing() -> None:
    admission = AdmissionFactory(capacity=3)
    assert admission.session is not None
    Reserve.objects.create(admission=admission, categories=["media"], places=4, returns_at=admission.session.starts_at)

    found = {finding.code for finding in programme_checks.run(admission.conference)}

    assert {"reserves_larger_than_capacity", "reserve_returns_too_late"} <= found


def test_programs_see_what_is_reserved_and_never_how_much_of_it_is_taken(client: Client) -> None:
    admission = AdmissionFactory(capacity=10, waiting="offer", claim_hours=5)
    kept = Reserve.objects.create(admission=admission, categories=["media"], places=4, returns_at=NOW)
    before = client.get(f"/api/v1/admissions/{admission.public_id}/").json()
    RegistrationFactory(admission=admission, reserve=kept)

    after = client.get(f"/api/v1/admissions/{admission.public_id}/").json()

    assert after == before
    assert (after["waiting_list"], after["claim_hours"], after["places_left"]) == ("offer", 5, 6)
    assert [(one["categories"], one["places"]) for one in after["reserves"]] == [(["media"], 4)]
    assert after["reserves"][0]["returns_at"].startswith("2030-07-0")
