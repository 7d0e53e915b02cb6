"""Going back to an older release always works, whatever has been made, moved or deleted since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from alliance.exceptions import DomainError
from events.models import (
    ConferenceDay,
    Convenorship,
    Material,
    Recommendation,
    Segment,
    Session,
    SessionState,
)
from events.releases import publishing, tables
from speakers.models import Contribution
from tests.events.releases.rows import publish
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    MaterialFactory,
    OrganisationFactory,
    RecommendationFactory,
    RegistrationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


PANEL = "/en/summit/sessions/panel/"


def test_going_back_when_a_session_was_made_anew_under_its_old_address(panel: Session) -> None:
    Session.objects.update(number=1)
    first = publish(panel.conference)
    key = panel.key
    panel.delete()
    new = SessionFactory(conference=first.conference, slug="panel", key=key, number=1)
    ContributionFactory(session=new)
    registration = RegistrationFactory(admission=AdmissionFactory(conference=first.conference, session=new))

    publishing.restore(first)

    old = Session.objects.get(slug="panel")
    assert str(old.title) == "First title"
    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    registration.refresh_from_db()
    assert registration.admission.session_id == new.pk


def test_going_back_keeps_what_a_session_made_since_is_made_of(panel: Session) -> None:
    first = publish(panel.conference)
    new = SessionFactory(conference=panel.conference)
    segment = SegmentFactory(session=new)
    ContributionFactory(session=new, segment=segment).other_organisations.add(OrganisationFactory())
    TextSectionFactory(session=new)
    MaterialFactory(conference=panel.conference, session=new)
    ConvenorshipFactory(session=new)

    publishing.restore(first)

    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    assert new.contributions.get().segment == segment
    assert new.contributions.get().other_organisations.count() == 1
    assert (new.text_sections.count(), new.convenorships.count()) == (1, 1)
    assert Material.objects.filter(session=new).count() == 1


def test_going_back_when_two_sessions_have_swapped_names(panel: Session) -> None:
    other = SessionFactory(conference=panel.conference, slug="other", key="other")
    key = panel.key
    first = publish(panel.conference)
    Session.objects.filter(pk=panel.pk).update(slug="x", key="x")
    Session.objects.filter(pk=other.pk).update(slug="panel", key=key)
    Session.objects.filter(pk=panel.pk).update(slug="other", key="other")

    publishing.restore(first)

    panel.refresh_from_db()
    other.refresh_from_db()
    assert (panel.slug, panel.key, other.slug, other.key) == ("panel", key, "other", "other")


def test_going_back_when_results_have_swapped_numbers(panel: Session) -> None:
    one, two = (RecommendationFactory(session=panel, number=number) for number in (1, 2))
    below = [RecommendationFactory(session=panel, parent=one, number=number) for number in (1, 2)]
    first = publish(panel.conference)
    for a, b in ((one, two), below):
        Recommendation.objects.filter(pk=a.pk).update(number=9)
        Recommendation.objects.filter(pk=b.pk).update(number=1)
        Recommendation.objects.filter(pk=a.pk).update(number=2)

    publishing.restore(first)

    numbers = dict(Recommendation.objects.values_list("pk", "number"))
    assert numbers == {one.pk: 1, two.pk: 2, below[0].pk: 1, below[1].pk: 2}


def test_going_back_when_two_convenors_were_swapped(panel: Session) -> None:
    one, two = ConvenorshipFactory(session=panel), ConvenorshipFactory(session=panel)
    Convenorship.objects.filter(pk=one.pk).update(internal_note="kept")
    first = publish(panel.conference)
    spare = OrganisationFactory()
    Convenorship.objects.filter(pk=one.pk).update(organisation=spare)
    Convenorship.objects.filter(pk=two.pk).update(organisation=one.organisation)
    Convenorship.objects.filter(pk=one.pk).update(organisation=two.organisation)

    publishing.restore(first)

    found = {row.pk: row for row in Convenorship.objects.all()}
    assert (found[one.pk].organisation_id, found[two.pk].organisation_id) == (one.organisation_id, two.organisation_id)
    assert found[one.pk].internal_note == "kept"


def test_going_back_when_a_block_was_made_anew_and_its_speakers_moved(panel: Session) -> None:
    old = SegmentFactory(session=panel, key="talks", position=1)
    speaker = ContributionFactory(session=panel, segment=old)
    first = publish(panel.conference)
    new = SegmentFactory(session=panel, key="talks-2", position=2)
    Contribution.objects.update(segment=new)
    old_pk = old.pk
    old.delete()
    Segment.objects.update(key="talks", position=1)

    publishing.restore(first)

    assert [segment.pk for segment in panel.segments.all()] == [old_pk]
    speaker.refresh_from_db()
    assert speaker.segment_id == old_pk


def test_going_back_when_a_day_was_made_anew(panel: Session) -> None:
    first = publish(panel.conference)
    old = panel.day
    assert old is not None
    ConferenceDay.objects.filter(pk=old.pk).update(number=7, date=old.date + timedelta(days=7))
    new = ConferenceDayFactory(conference=panel.conference, number=1, date=old.date)
    Session.objects.update(day=new)
    ConferenceDay.objects.filter(pk=old.pk).delete()
    since = SessionFactory(conference=panel.conference, day=new)

    publishing.restore(first)

    days = list(panel.conference.days.all())
    assert [(day.pk, day.number, day.date) for day in days] == [(old.pk, 1, old.date)]
    panel.refresh_from_db()
    since.refresh_from_db()
    assert (panel.day_id, since.day_id) == (old.pk, old.pk)


def test_going_back_after_somebody_was_deleted(panel: Session) -> None:
    speaker = ContributionFactory(session=panel)
    speaker.other_organisations.add(OrganisationFactory())
    first = publish(panel.conference)
    person = speaker.person
    speaker.delete()
    person.delete()

    publishing.restore(first)

    assert not Contribution.objects.exists()


def test_going_back_says_so_when_somebody_else_has_the_room(client: Client, panel: Session) -> None:
    room = RoomFactory()
    Session.objects.update(room=room)
    first = publish(panel.conference)
    Session.objects.update(room=None)
    SessionFactory(conference=ConferenceFactory(slug="elsewhere"), room=room)
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})

    with pytest.raises(DomainError):
        publishing.restore(first)

    panel.refresh_from_db()
    assert str(panel.title) == "Second title"


def test_going_back_leaves_other_conferences_alone(panel: Session) -> None:
    first = publish(panel.conference)
    other = SessionFactory(conference=ConferenceFactory(slug="elsewhere"))
    SegmentFactory(session=other), ContributionFactory(session=other), TextSectionFactory(session=other)
    before = {table.name: list(table.model._default_manager.order_by("pk").values()) for table in tables.all_tables()}
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})

    publishing.restore(first)

    for table in tables.all_tables():
        rows = list(table.model._default_manager.order_by("pk").values())
        for row, was in zip(rows, before[table.name], strict=True):
            if row["id"] != panel.pk or table.model is not Session:
                assert row == was
