"""Who may be shown when."""

from datetime import UTC, datetime, timedelta

import pytest

from events.models import Segment, SegmentVisibility
from speakers.models import Contribution, ContributionStatus
from tests.factories import ContributionFactory, PersonFactory, SegmentFactory, SessionFactory

pytestmark = pytest.mark.django_db

ENDS_AT = datetime(2030, 7, 15, 10, 0, tzinfo=UTC)
BEFORE, AFTER = ENDS_AT - timedelta(seconds=1), ENDS_AT


def test_visible_at_of_a_contribution_for_after_waits_for_the_end_of_the_session() -> None:
    shown = ContributionFactory()
    later = ContributionFactory(session=shown.session, visibility=SegmentVisibility.AFTER)

    assert set(Contribution.objects.visible_at(BEFORE)) == {shown}
    assert set(Contribution.objects.visible_at(AFTER)) == {shown, later}


def test_visible_at_of_a_contribution_in_a_segment_for_after_waits_too() -> None:
    segment = SegmentFactory(visibility=SegmentVisibility.AFTER)
    testimony = ContributionFactory(session=segment.session, segment=segment)

    assert not Contribution.objects.visible_at(BEFORE).exists()
    assert not Segment.objects.visible_at(BEFORE).exists()
    assert Contribution.objects.visible_at(AFTER).get() == testimony
    assert Segment.objects.visible_at(AFTER).get() == segment


def test_visible_at_of_somebody_not_announced_waits_for_the_end() -> None:
    testimony = ContributionFactory(is_announced=False)

    assert not Contribution.objects.visible_at(BEFORE).exists()
    assert Contribution.objects.visible_at(AFTER).get() == testimony


def test_visible_at_without_times_waits_for_the_end_of_the_day_at_the_venue() -> None:
    session = SessionFactory(starts_at=None, ends_at=None, conference__time_zone="Europe/Vienna")
    ContributionFactory(session=session, visibility=SegmentVisibility.AFTER)
    midnight_in_vienna = datetime(2030, 7, 15, 22, 0, tzinfo=UTC)

    assert not Contribution.objects.visible_at(midnight_in_vienna - timedelta(seconds=1)).exists()
    assert Contribution.objects.visible_at(midnight_in_vienna).exists()


def test_visible_at_without_a_day_waits_for_the_end_of_the_conference() -> None:
    session = SessionFactory(day=None, starts_at=None, ends_at=None)
    ContributionFactory(session=session, visibility=SegmentVisibility.AFTER)
    the_end = datetime(2030, 7, 17, 22, 0, tzinfo=UTC)

    assert not Contribution.objects.visible_at(the_end - timedelta(seconds=1)).exists()
    assert Contribution.objects.visible_at(the_end).exists()


def test_visible_at_without_any_date_stays_hidden() -> None:
    session = SessionFactory(
        conference__starts_on=None, conference__ends_on=None, day=None, starts_at=None, ends_at=None
    )
    ContributionFactory(session=session, visibility=SegmentVisibility.AFTER)

    assert not Contribution.objects.visible_at(AFTER + timedelta(days=10_000)).exists()


def test_visible_at_never_shows_never_declined_replaced_or_hidden_ones() -> None:
    ContributionFactory(visibility=SegmentVisibility.NEVER)
    ContributionFactory(segment=SegmentFactory(visibility=SegmentVisibility.NEVER))
    ContributionFactory(status=ContributionStatus.DECLINED)
    ContributionFactory(status=ContributionStatus.REPLACED)
    ContributionFactory(person=PersonFactory(is_hidden=True))

    assert not Contribution.objects.visible_at(AFTER).exists()
    assert not Segment.objects.visible_at(AFTER).exists()
