"""Results of sessions: nesting and topics as the database keeps them, what strangers see of them, and when."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from events import results
from events.models import (
    Conference,
    Material,
    Recommendation,
    SegmentVisibility,
    Session,
    Topic,
)
from tests.factories import ConferenceFactory, MaterialFactory, RecommendationFactory, SessionFactory

BEFORE = datetime(2030, 7, 15, 9, 30, tzinfo=UTC)  # the sessions of the factories end at ten
AFTER = datetime(2030, 7, 15, 10, 0, tzinfo=UTC)


def settle() -> None:
    """What PostgreSQL leaves to the commit, now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


# --- nesting --------------------------------------------------------------------------------------------------------


def test_items_stand_below_each_other_in_printed_order(db: None) -> None:
    session = SessionFactory()
    second = RecommendationFactory(session=session, kind="challenge", number=2)
    first = RecommendationFactory(session=session, kind="challenge", number=1)
    practice = RecommendationFactory(session=session, kind="recommendation", number=1)
    b = RecommendationFactory(session=session, parent=first, kind="challenge", number=2)
    a = RecommendationFactory(session=session, parent=first, kind="recommendation", number=1)
    deep = RecommendationFactory(session=session, parent=b, kind="practice", number=1)
    settle()

    found = results.tree(session.recommendations.in_printed_order())

    def shape(items: list[results.Item]) -> list[Any]:
        return [(item.label, item.row, shape(item.items)) for item in items]

    assert shape(found) == [
        ("1", first, [("a", a, []), ("b", b, [("1", deep, [])])]),
        ("2", second, []),
        ("1", practice, []),
    ]
    assert [(group.kind, [item.row for item in group.items]) for group in results.groups(found)] == [
        ("challenge", [first, second]),
        ("recommendation", [practice]),
    ]


@pytest.mark.parametrize(
    ("number", "level", "expected"), [(6, 0, "6"), (1, 1, "a"), (26, 1, "z"), (27, 1, "aa"), (2, 2, "2"), (0, 1, "0")]
)
def test_label_is_a_number_and_below_it_a_letter(number: int, level: int, expected: str) -> None:
    assert results.label(number, level) == expected


def test_item_of_another_session_is_refused(db: None) -> None:
    other = RecommendationFactory()
    RecommendationFactory(parent=other)

    with pytest.raises(IntegrityError, match="recommendation_parent_in_session"):
        settle()


def test_circle_is_refused(db: None) -> None:
    one = RecommendationFactory()
    two = RecommendationFactory(session=one.session, parent=one)
    settle()
    Recommendation.objects.filter(pk=one.pk).update(parent=two)

    with pytest.raises(IntegrityError, match="stands below itself"):
        settle()


def test_item_below_itself_is_refused(db: None) -> None:
    one = RecommendationFactory()
    Recommendation.objects.filter(pk=one.pk).update(parent=one)

    with pytest.raises(IntegrityError, match="stands below itself"):
        settle()


def test_fourth_level_is_refused_also_when_a_branch_is_moved(db: None) -> None:
    top = RecommendationFactory()
    second = RecommendationFactory(session=top.session, parent=top)
    branch = RecommendationFactory(session=top.session)
    leaf = RecommendationFactory(session=top.session, parent=branch)
    RecommendationFactory(session=top.session, parent=leaf)
    settle()
    Recommendation.objects.filter(pk=branch.pk).update(parent=second)

    with pytest.raises(IntegrityError, match="deeper than three levels"):
        settle()


def test_branch_may_move_to_another_session_as_a_whole(db: None) -> None:
    top = RecommendationFactory()
    RecommendationFactory(session=top.session, parent=top)
    other = SessionFactory(conference=top.session.conference)

    Recommendation.objects.filter(session=top.session).update(session=other)

    settle()
    assert other.recommendations.count() == 2


def test_deleting_an_item_deletes_what_stands_below(db: None) -> None:
    top = RecommendationFactory()
    RecommendationFactory(session=top.session, parent=top)

    top.delete()

    settle()
    assert not Recommendation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_make_no_circle() -> None:
    one = RecommendationFactory()
    two = RecommendationFactory(session=one.session)
    gate = threading.Barrier(2, timeout=10)

    def put(item: Recommendation, below: Recommendation) -> str:
        try:
            with transaction.atomic():
                gate.wait()
                Recommendation.objects.filter(pk=item.pk).update(parent=below)
            return "done"
        except IntegrityError as error:
            return "refused" if "stands below itself" in str(error) else str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(put, one, two), pool.submit(put, two, one)]

    assert sorted(answer.result() for answer in answers) == ["done", "refused"]


# --- numbers and topics ---------------------------------------------------------------------------------------------


def test_number_stands_once_in_its_kind_and_once_below_an_item(db: None) -> None:
    top = RecommendationFactory(number=1)
    RecommendationFactory(session=top.session, kind="challenge", number=1)
    RecommendationFactory(session=top.session, parent=top, number=1)

    with pytest.raises(IntegrityError, match='"recommendation_number_is_unique"'), transaction.atomic():
        RecommendationFactory(session=top.session, number=1)
    with pytest.raises(IntegrityError, match='"recommendation_number_is_unique_below"'), transaction.atomic():
        RecommendationFactory(session=top.session, parent=top, kind="challenge", number=1)


def test_numbers_may_be_swapped(db: None) -> None:
    first = RecommendationFactory(number=1)
    second = RecommendationFactory(session=first.session, number=2)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for row, number in ((first, 2), (second, 1)):
        row.number = number
        row.save()

    settle()
    assert list(first.session.recommendations.in_printed_order()) == [second, first]


@pytest.mark.parametrize("topics", [["unheard-of"], ["courts", "courts"]])
def test_topic_that_is_unknown_or_stands_twice_is_refused(db: None, topics: list[str]) -> None:
    Topic.objects.create(key="courts", name={"en": "Courts"})

    with pytest.raises(IntegrityError, match="a topic is not known, or stands twice"):
        RecommendationFactory(topics=topics)


def test_topic_in_use_keeps_its_key_and_stays(db: None) -> None:
    topic = Topic.objects.create(key="courts", name={"en": "Courts"})
    RecommendationFactory(topics=["courts"])

    with pytest.raises(IntegrityError, match="is in use"), transaction.atomic():
        topic.delete()
    with pytest.raises(IntegrityError, match="is in use"), transaction.atomic():
        Topic.objects.filter(key="courts").update(key="judges")
    topic.name = {"en": "Courts of law"}
    topic.save()


# --- the note -------------------------------------------------------------------------------------------------------


def test_disclaimer_is_that_of_the_conference_else_that_of_the_house_in_six_languages(db: None) -> None:
    usual = results.disclaimer(ConferenceFactory())
    own = results.disclaimer(ConferenceFactory(results_disclaimer={"en": "Drafted by the office."}))

    assert sorted(usual) == ["de", "en", "es", "fr", "it", "ru"]
    assert len(set(usual.values())) == 6
    assert own == {"en": "Drafted by the office."}


# --- what strangers see, and when -----------------------------------------------------------------------------------


def test_results_are_public_once_the_session_is_over(db: None) -> None:
    row = RecommendationFactory()

    assert not Recommendation.objects.public(BEFORE).exists()
    assert list(Recommendation.objects.public(AFTER)) == [row]


@pytest.mark.parametrize(
    ("session", "conference"),
    [
        ({"state": "draft"}, {}),
        ({"state": "cancelled"}, {}),
        ({"visibility": "internal"}, {}),
        ({"visibility": "invitation"}, {}),
        ({}, {"state": "draft"}),
        ({}, {"state": "cancelled"}),
        ({}, {"visibility": "internal"}),
    ],
)
def test_results_of_what_is_hidden_or_cancelled_are_never_public(
    db: None, session: dict[str, str], conference: dict[str, str]
) -> None:
    RecommendationFactory()
    Session.objects.update(**session) if session else Conference.objects.update(**conference)

    assert not Recommendation.objects.public(AFTER + timedelta(days=1000)).exists()


def test_results_of_a_session_without_any_date_wait_until_the_conference_is_closed(db: None) -> None:
    conference = ConferenceFactory(starts_on=None, ends_on=None)
    RecommendationFactory(
        session__conference=conference, session__day=None, session__starts_at=None, session__ends_at=None
    )

    assert not Recommendation.objects.public(AFTER).exists()
    Conference.objects.update(state="archived")
    assert Recommendation.objects.public(AFTER).exists()


@pytest.mark.parametrize(
    ("visibility", "before", "after"),
    [(SegmentVisibility.BEFORE, 1, 1), (SegmentVisibility.AFTER, 0, 1), (SegmentVisibility.NEVER, 0, 0)],
)
def test_material_is_shown_when_it_says(db: None, visibility: str, before: int, after: int) -> None:
    session = SessionFactory()
    MaterialFactory(conference=session.conference, session=session, visibility=visibility)

    assert Material.objects.visible_at(BEFORE).count() == before
    assert Material.objects.visible_at(AFTER).count() == after


def test_material_of_the_conference_waits_for_its_last_midnight_at_the_venue(db: None) -> None:
    MaterialFactory()  # 15 to 17 July 2030, "after"

    assert not Material.objects.visible_at(datetime(2030, 7, 17, 21, 59, tzinfo=UTC)).exists()
    assert Material.objects.visible_at(datetime(2030, 7, 17, 22, 0, tzinfo=UTC)).exists()


def test_material_waits_for_the_day_it_is_published_on_at_the_venue(db: None) -> None:
    """22:00 UTC on the 19th is midnight in Vienna, where the 20th begins."""
    MaterialFactory(visibility=SegmentVisibility.BEFORE, published_on=date(2030, 7, 20))

    assert not Material.objects.visible_at(datetime(2030, 7, 19, 21, 59, tzinfo=UTC)).exists()
    assert Material.objects.visible_at(datetime(2030, 7, 19, 22, 0, tzinfo=UTC)).exists()


def test_material_for_after_a_cancelled_session_is_never_shown(db: None) -> None:
    session = SessionFactory(state="cancelled")
    MaterialFactory(conference=session.conference, session=session, visibility=SegmentVisibility.AFTER)

    assert not Material.objects.visible_at(AFTER + timedelta(days=1000)).exists()
