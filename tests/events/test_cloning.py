"""The next edition: dates move, clocks stay, people are invited anew, nothing that happened comes along."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from events import cloning, editing, programme_checks, programme_file
from events.models import Conference, Material, Recommendation, Reference, Session
from registration.models import Admission, Participant, Registration
from speakers.models import Contribution
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    QuestionFactory,
    RecommendationFactory,
    ReferenceFactory,
    RegistrationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

FILE_2020 = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
JULY, DECEMBER = date(2030, 7, 15), date(2031, 12, 1)


def edition() -> Conference:
    """An edition in summer with everything that can be copied and everything that must not be."""
    conference = ConferenceFactory(
        edition=20, working_languages=["en"], report={"participants": 1000}, internal_note="secret",
        archive_text={"title": "20th"}, livestream_url="https://example.org/live", hashtag="#CTHB20",
    )  # fmt: skip
    day = ConferenceDayFactory(conference=conference, label_printed="Monday, 15 July 2030")
    session = SessionFactory(
        conference=conference, day=day, room=RoomFactory(venue=conference.venue), kind="panel", number=1,
        starts_at=datetime(2030, 7, 15, 8, tzinfo=UTC), ends_at=datetime(2030, 7, 15, 9, 30, tzinfo=UTC),
        summary={"en": "It went well"}, working_languages=["en"],
    )  # fmt: skip
    segment = SegmentFactory(
        session=session, starts_at=session.starts_at, ends_at=datetime(2030, 7, 15, 8, 10, tzinfo=UTC)
    )
    moderator = ContributionFactory(
        session=session, segment=segment, role="moderator", status="confirmed", final_status="confirmed",
        took_part="yes", is_in_report=True, position=1,
    )  # fmt: skip
    moderator.other_organisations.add(OrganisationFactory())
    ContributionFactory(session=session, position=2, status="replaced")
    ContributionFactory(session=session, position=3, person=PersonFactory(is_hidden=True))
    TextSectionFactory(session=session)
    ConvenorshipFactory(session=session)
    MaterialFactory(conference=conference, session=session)
    RecommendationFactory(session=session)
    ReferenceFactory(conference=conference, session=session)
    admission = AdmissionFactory(
        conference=conference, session=session, opens_at=datetime(2030, 6, 1, 7, tzinfo=UTC), approval="manual"
    )
    type(admission.places).objects.filter(pk=admission.pk).update(capacity=50)
    admission.audience_organisations.add(OrganisationFactory())
    RegistrationFactory(admission=admission)
    return conference


def clone(source: Conference, **given: Any) -> Conference:
    """The next edition, in December of the next year."""
    values: dict[str, Any] = {"slug": "next", "edition": 21, "starts_on": DECEMBER} | given
    return Conference.objects.get(pk=cloning.clone(conference_id=source.pk, **values).pk)


def test_dates_move_and_clocks_stay_over_the_change_of_summer_time() -> None:
    source = edition()

    target = clone(source)

    assert (target.starts_on, target.ends_on) == (DECEMBER, date(2031, 12, 3))
    assert [(day.number, day.date, day.label_printed) for day in target.days.all()] == [(1, DECEMBER, "")]
    session = target.sessions.get()
    assert session.day == target.days.get()
    # 10:00 in Vienna: 8:00 UTC in July, 9:00 UTC in December.
    assert session.starts_at == datetime(2031, 12, 1, 9, tzinfo=UTC)
    assert session.ends_at == datetime(2031, 12, 1, 10, 30, tzinfo=UTC)
    assert session.segments.get().ends_at == datetime(2031, 12, 1, 9, 10, tzinfo=UTC)
    assert target.admissions.get().opens_at == datetime(2031, 10, 18, 7, tzinfo=UTC)  # 9:00 in Vienna, still summer


def test_people_bodies_and_rooms_are_the_same_and_nobody_has_agreed_yet() -> None:
    source = edition()
    original = source.sessions.get()

    session = clone(source).sessions.get()

    assert (session.room, session.key, session.slug) == (original.room, original.key, original.slug)
    assert session.convenorships.get().organisation == original.convenorships.get().organisation
    (contribution,) = Contribution.objects.filter(session=session)
    first = Contribution.objects.get(session=original, position=1)
    assert (contribution.person, contribution.segment) == (first.person, session.segments.get())
    assert list(contribution.other_organisations.all()) == list(first.other_organisations.all())
    assert (contribution.status, contribution.final_status, contribution.took_part, contribution.is_in_report) == (
        "invited", "", "unknown", False,
    )  # fmt: skip


def test_nothing_that_happened_comes_along() -> None:
    source = edition()

    target = clone(source)

    session = target.sessions.get()
    assert (target.state, session.state) == ("draft", "draft")
    assert (target.report, target.archive_text, target.internal_note, target.livestream_url) == ({}, {}, "", "")
    assert session.summary == {}
    assert target.hashtag == "#CTHB20"
    for model in (Material, Reference):
        assert not model.objects.filter(conference=target).exists()
    assert not Recommendation.objects.filter(session__conference=target).exists()
    assert not Participant.objects.filter(conference=target).exists()
    admission = Admission.objects.get(conference=target)
    assert not Registration.objects.filter(admission=admission).exists()
    assert (admission.places.capacity, admission.places.taken, admission.places.waiting) == (50, 0, 0)
    assert (admission.is_closed, admission.approval, admission.audience_organisations.count()) == (True, "manual", 1)


def test_source_stays_as_it_was() -> None:
    source = edition()

    def facts() -> list[Any]:
        rows = [Conference.objects.filter(pk=source.pk), source.sessions.all(), source.days.all()]
        rows += [Contribution.objects.filter(session__conference=source), source.admissions.all()]
        return [list(found.order_by("pk").values()) for found in rows]

    before = facts()
    clone(source)

    assert facts() == before


def test_copy_has_no_errors_that_the_original_had_not() -> None:
    source = edition()

    target = clone(source)

    found = programme_checks.run(target)
    assert [finding.code for finding in found if finding.severity == programme_checks.Severity.ERROR] == []
    codes = {finding.code for finding in programme_checks.run(source)}
    new = {finding.code for finding in found} - codes
    assert new <= {"tbc_open", "room_missing"}


@pytest.mark.shared
@pytest.mark.skipif(not FILE_2020.exists(), reason="../shared is not here")
def test_edition_of_2020_is_copied_whole_and_brings_no_new_errors() -> None:
    programme_file.load(FILE_2020.read_bytes())
    source = Conference.objects.get()
    confirmed = Contribution.objects.filter(status="confirmed")
    people = set(confirmed.exclude(person=None).values_list("person", flat=True))

    target = clone(source, slug="alliance-21", edition=21, starts_on=date(2021, 6, 14))

    assert target.sessions.count() == source.sessions.count()
    invited = Contribution.objects.filter(session__conference=target)
    assert people <= set(invited.values_list("person", flat=True))
    assert set(invited.values_list("status", flat=True)) == {"invited"}
    for old, new in zip(source.sessions.in_programme_order(), target.sessions.in_programme_order(), strict=True):
        assert (old.key, old.starts_at and old.starts_at.astimezone(source.zone).time()) == (
            new.key, new.starts_at and new.starts_at.astimezone(target.zone).time(),
        )  # fmt: skip
    before, after = (
        {finding.code for finding in programme_checks.run(conference) if finding.severity == "error"}
        for conference in (source, target)
    )
    assert after <= before


@pytest.mark.parametrize("taken", ["slug", "edition"])
def test_address_or_edition_that_is_taken_leaves_nothing_behind(taken: str) -> None:
    source = edition()
    given = {"slug": source.slug} if taken == "slug" else {"edition": 20}

    with pytest.raises(IntegrityError):
        clone(source, **given)


def test_failure_in_a_part_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    source = edition()

    def fails(copying: cloning.Copying) -> None:
        raise RuntimeError

    monkeypatch.setitem(cloning._parts, "fails", cloning.Part("Fails", 99, lambda conference: 0, fails))
    with pytest.raises(RuntimeError):
        clone(source)

    assert list(Conference.objects.all()) == [source]
    assert Session.objects.count() == 1


def test_preview_says_what_clone_does() -> None:
    source = edition()

    preview = cloning.preview(source, starts_on=DECEMBER)

    assert [(str(label), number) for label, number in preview.counts] == [
        ("Days", 1), ("Sessions and side events", 1), ("Segments", 1), ("Convenors", 1), ("Texts", 1),
        ("Contributions, as invited", 1), ("Admissions with their settings, no registrations", 1),
        ("Questions of the form, no answers", 0), ("Letters in your own words", 0),
    ]  # fmt: skip
    assert preview.days == [(1, JULY, DECEMBER)]
    assert (preview.starts_on, preview.ends_on) == (DECEMBER, date(2031, 12, 3))


def test_dates_that_are_not_known_cannot_move() -> None:
    source = ConferenceFactory(starts_on=None, ends_on=None)

    with pytest.raises(cloning.NoFirstDay):
        cloning.preview(source, starts_on=DECEMBER)
    with pytest.raises(cloning.NoFirstDay):
        clone(source)


def test_what_was_taken_down_stays_behind_with_all_that_belongs_to_it() -> None:
    source = edition()
    down = SessionFactory(conference=source, title={"en": "Canary"}, taken_down_at=NOW)
    for make in (SegmentFactory, TextSectionFactory, ConvenorshipFactory, ContributionFactory):
        make(session=down)
    AdmissionFactory(conference=source, session=down)
    QuestionFactory(conference=source, session=down)
    speaker = PersonFactory(is_hidden=True, taken_down_at=NOW)
    ContributionFactory(session=source.sessions.exclude(pk=down.pk).get(), person=speaker, position=9)

    preview = cloning.preview(source, starts_on=DECEMBER)
    target = clone(source)

    counts = [number for _label, number in preview.counts]
    assert counts == [1, 1, 1, 1, 1, 1, 1, 0, 0, 1]
    assert str(preview.counts[-1][0]) == "Sessions that were taken down and stay behind"
    assert target.sessions.get().key != down.key
    assert target.sessions.get().taken_down_at is None
    assert (target.admissions.count(), target.questions.count()) == (1, 0)
    assert not Contribution.objects.filter(session__conference=target, person=speaker).exists()
    with pytest.raises(editing.NotPossible):
        editing.duplicate(session_id=down.pk)


@pytest.mark.parametrize("far", [date(1, 1, 1), date(203, 7, 15), date(9999, 12, 31)])
def test_a_mistyped_year_is_refused_before_the_calendar_ends(far: date) -> None:
    source = edition()

    with pytest.raises(cloning.TooFarAway):
        cloning.preview(source, starts_on=far)
    with pytest.raises(cloning.TooFarAway):
        clone(source, starts_on=far)


@pytest.mark.parametrize("sessions", [1, 4])
def test_copying_costs_the_same_for_one_session_and_for_four(sessions: int, django_assert_num_queries: Any) -> None:
    source = edition()
    for number in range(1, sessions):
        ContributionFactory(session=SessionFactory(conference=source, day=source.days.get(), number=number + 1))

    with django_assert_num_queries(28):
        cloning.clone(conference_id=source.pk, slug="next", edition=21, starts_on=DECEMBER)
