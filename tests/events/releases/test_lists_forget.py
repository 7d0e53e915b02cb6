"""Lists of changes forget who is not to be shown any more."""

from __future__ import annotations

import pytest
from django.test import Client

from events.models import (
    Segment,
    SegmentVisibility,
    Session,
    Visibility,
)
from speakers.models import Contribution
from tests.events.releases.rows import publish, read
from tests.factories import (
    ContributionFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


CHANGES = "/en/summit/changes/"


@pytest.mark.parametrize("close", ["visibility", "is_announced", "segment", "deleted"])
def test_the_list_forgets_who_is_not_to_be_shown_any_more(client: Client, panel: Session, close: str) -> None:
    segment = SegmentFactory(session=panel)
    publish(panel.conference)
    ContributionFactory(session=panel, segment=segment, person=PersonFactory(display_name="Clara Closed"))
    ContributionFactory(session=panel, segment=segment, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    assert "Clara Closed" in read(client, CHANGES).text
    assert "Ruritania" in read(client, CHANGES).text

    if close == "is_announced":
        Contribution.objects.update(is_announced=False)
    elif close == "segment":
        Segment.objects.update(visibility=SegmentVisibility.NEVER)
    else:
        Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    if close == "deleted":
        for row in Contribution.objects.all():
            row.delete()
        publish(panel.conference)

    page = read(client, CHANGES).text
    assert "Clara Closed" not in page
    assert "Ruritania" not in page


def test_the_list_does_not_name_who_gave_the_seat_to_a_pseudonym(client: Client, panel: Session) -> None:
    publish(panel.conference)
    ContributionFactory(session=panel, person=PersonFactory(display_name="Real Canary"), role_title={})
    ContributionFactory(session=panel, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    assert "Real Canary" in read(client, CHANGES).text

    for number, row in enumerate(Contribution.objects.all()):
        maja = PersonFactory(display_name=f"Maja {number}", is_pseudonym=True, given_name="", family_name="")
        Contribution.objects.filter(pk=row.pk).update(person=maja)
    publish(panel.conference)

    page = read(client, CHANGES).text
    assert "Canary" not in page
    assert "Ruritania" not in page


def test_a_seat_is_called_in_the_list_as_it_is_today(client: Client, panel: Session) -> None:
    publish(panel.conference)
    ContributionFactory(session=panel, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    Contribution.objects.update(unnamed_label={"en": "A survivor leader"})
    publish(panel.conference)

    page = read(client, CHANGES).text
    assert "A survivor leader" in page
    assert "Ruritania" not in page


def test_who_is_closed_is_not_named_as_gone(client: Client, panel: Session) -> None:
    ContributionFactory(session=panel, person=PersonFactory(display_name="Clara Closed"))
    publish(panel.conference)
    Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    publish(panel.conference)

    assert "Clara Closed" not in read(client, CHANGES).text


def test_the_list_forgets_a_hidden_session_also_when_it_is_deleted(client: Client, panel: Session) -> None:
    other = SessionFactory(conference=panel.conference, title={"en": "Canary session"})
    publish(panel.conference)
    Session.objects.filter(pk=other.pk).update(visibility=Visibility.INTERNAL)
    publish(panel.conference)
    assert "Canary session" not in read(client, CHANGES).text
    other.delete()
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
    publish(panel.conference)

    assert "Canary session" not in read(client, CHANGES).text
