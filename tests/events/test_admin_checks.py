"""The page of checks in the admin, and results as organisers enter them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events import programme_checks
from events.models import Conference, ConferenceDay, Recommendation, Session, Topic
from tests.factories import (
    ConferenceFactory,
    ContributionFactory,
    MaterialFactory,
    RecommendationFactory,
    SegmentFactory,
    SessionFactory,
    StaffFactory,
    TextSectionFactory,
    UserFactory,
)


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    """An administrator's browser."""
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def conference(db: None) -> Conference:
    """A conference with a working language."""
    made: Conference = ConferenceFactory(working_languages=["en"], title={"en": "Our conference"})
    return made


def address(conference: Conference) -> str:
    """The page of checks."""
    return reverse("admin:events_conference_checks", args=[conference.pk])


def page(client: Client, conference: Conference, query: str = "") -> str:
    """Its text, or that of one of its lists."""
    response = client.get(address(conference) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_findings_stand_with_their_session_and_lead_to_their_row(staff: Client, conference: Conference) -> None:
    panel = SessionFactory(conference=conference, title={"en": "The panel"}, starts_at=None, ends_at=None)
    ConferenceDay.objects.update(label_printed="Sunday")

    text = page(staff, conference)

    errors, warnings = text.split('id="check-warnings"')
    assert "1 error" in errors
    assert "is printed as “Sunday”" in errors
    assert "The panel" not in errors
    row = programme_checks.row_of(panel).path
    assert f'<a href="{row}">“The panel” has no time.</a></li>' in warnings
    assert "“The panel” has no moderator." in warnings


def test_finding_about_a_paper_of_a_cancelled_session_stands_with_the_conference(
    staff: Client, conference: Conference
) -> None:
    session = SessionFactory(conference=conference, state="cancelled")
    MaterialFactory(conference=conference, session=session, url="https://papers.example/a,")

    text = page(staff, conference)

    assert "1 warning" in text
    assert "The conference" in text
    assert "ends in punctuation: https://papers.example/a," in text


def test_programme_without_faults_says_so(staff: Client, conference: Conference) -> None:
    text = page(staff, conference)

    assert "Nothing keeps this programme from being published." in text
    assert "0 warnings" in text


def test_missing_texts_are_listed_by_session_with_a_link_to_each(staff: Client, conference: Conference) -> None:
    session = SessionFactory(conference=conference, title={"en": "Opening", "fr": "Ouverture"}, kind="opening")
    TextSectionFactory(session=session, text={"en": "What it is about."})

    assert f'href="{address(conference)}?missing=fr"' in page(staff, conference).replace(
        'href="?missing', f'href="{address(conference)}?missing'
    )
    text = page(staff, conference, "?missing=fr")

    assert "French: 4 texts missing" in text  # of conference, venue, its city, and the section
    assert '<span lang="en">What it is about.</span>' in text
    assert '<span lang="en">Opening</span>' not in text
    assert programme_checks.row_of(session).path in text


def test_language_that_is_not_ours_shows_the_page_itself(staff: Client, conference: Conference) -> None:
    assert 'id="check-errors"' in page(staff, conference, "?missing=tlh")


def test_page_is_for_those_who_may_see_sessions(client: Client, conference: Conference) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert client.get(address(conference)).status_code == 403

    client.logout()
    assert client.get(address(conference)).status_code == 302


def test_titles_are_escaped(staff: Client, conference: Conference) -> None:
    SessionFactory(conference=conference, title={"en": "<b>bold</b>"}, starts_at=None, ends_at=None)

    for query in ("", "?missing=fr"):
        shown = page(staff, conference, query)
        assert "&lt;b&gt;bold" in shown
        assert "<b>bold</b>" not in shown


@pytest.mark.parametrize("count", [1, 4])
def test_number_of_queries_of_the_page_does_not_grow(staff: Client, conference: Conference, count: int) -> None:
    for _number in range(count):
        session = SessionFactory(conference=conference, starts_at=None, ends_at=None)
        SegmentFactory(session=session)
        ContributionFactory(session=session)
        RecommendationFactory(session=session)
    page(staff, conference)

    with CaptureQueriesContext(connection) as found:
        page(staff, conference)
    with CaptureQueriesContext(connection) as missing:
        page(staff, conference, "?missing=fr")

    assert (len(found), len(missing)) == (23, 14)


# --- results --------------------------------------------------------------------------------------------------------


def form_of(row: Recommendation, **changed: object) -> dict[str, object]:
    """What the form of a result sends."""
    return {
        "session": row.session_id,
        "parent": row.parent_id or "",
        "kind": row.kind,
        "number": row.number,
        "text_en": "Do this.",
        **changed,
    }


def change_url(row: Recommendation) -> str:
    """The form of a result."""
    return reverse("admin:events_recommendation_change", args=[row.pk])


def test_form_offers_items_of_the_session_that_it_can_stand_below(staff: Client) -> None:
    top = RecommendationFactory(number=1, text={"en": "The top one"})
    below = RecommendationFactory(session=top.session, parent=top, number=1, text={"en": "The one below"})
    lowest = RecommendationFactory(session=top.session, parent=below, number=1)
    RecommendationFactory(number=1, text={"en": "Of another session"})
    moved = RecommendationFactory(session=top.session, number=2)
    RecommendationFactory(session=top.session, parent=moved, number=1)

    choices = staff.get(change_url(moved)).context["adminform"].form.fields["parent"].choices

    assert list(choices) == [
        ("", "---------"),
        (top.pk, "Recommendation 1: The top one"),
        (below.pk, "1 a: The one below"),
    ]
    assert lowest.pk not in dict(choices)


def test_item_that_others_stand_below_stays_in_its_session(staff: Client) -> None:
    top = RecommendationFactory(number=1)
    RecommendationFactory(session=top.session, parent=top, number=1)
    other: Session = SessionFactory(conference=top.session.conference)

    form = staff.post(change_url(top), form_of(top, session=other.pk)).context["adminform"].form

    assert form.errors["session"] == ["Other items stand below this one; they would stay behind."]


def test_topics_are_ticked(staff: Client) -> None:
    Topic.objects.create(key="courts", name={"en": "Courts of law"})
    row = RecommendationFactory(number=1, topics=["courts"])

    text = staff.get(change_url(row)).content.decode()

    assert 'value="courts" id=' in text
    assert "Courts of law" in text


def test_number_that_is_taken_is_refused_in_words_and_one_below_is_not(staff: Client) -> None:
    first = RecommendationFactory(number=1)
    second = RecommendationFactory(session=first.session, number=2)

    form = staff.post(change_url(second), form_of(second, number=1)).context["adminform"].form

    assert form.errors["number"] == ["The session has this number already."]
    assert staff.post(change_url(second), form_of(second, number=1, parent=first.pk)).status_code == 302
    second.refresh_from_db()
    assert (second.parent, second.number) == (first, 1)


@pytest.mark.parametrize("of_another_session", [True, False])
def test_item_below_itself_or_below_one_elsewhere_is_refused(staff: Client, of_another_session: bool) -> None:
    row = RecommendationFactory(number=1)
    wanted = RecommendationFactory(number=1) if of_another_session else row

    form = staff.post(change_url(row), form_of(row, parent=wanted.pk)).context["adminform"].form

    assert form.errors["parent"] == ["Choose one of the answers offered for “Below”."]
