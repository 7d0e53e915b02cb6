"""Checks of a programme: addresses and speakers."""

from __future__ import annotations

import pytest
from django.utils import translation

from events import programme_checks
from events.models import Conference, Session
from events.programme_checks import Severity
from speakers.models import Contribution, ContributionStatus, Person, Role
from tests.events.programme_checks.found import at, codes, findings
from tests.factories import (
    AdmissionFactory,
    ContributionFactory,
    ConvenorshipFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    ReferenceFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://https://forms.example/a",
        "https://https//forms.example/a",
        "https://forms.example/a b",
        "https://forms.example/a\u00ad",
        "https://forms.example/%zz",
        "https://forms",
        "https:/forms.example/a",
        "https://forms..example/a",
        "https://forms.example:port/a",
        "https://[forms.example/a",
        "www.forms.example",
        "ftp://forms.example/a",
        "javascript:alert(1)",
    ],
)
def test_damaged_address_is_found(url: str) -> None:
    assert programme_checks.is_damaged(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://forms.example/a?b=https://c.example/",
        "https://zoom.example:8443/webinar/register/WN_x-_",
        "https://en.wiki.example/wiki/Protocol_(2000)",
        "https://müller.example/ä%20b#c",
    ],
)
def test_sound_address_is_left_alone(url: str) -> None:
    assert not programme_checks.is_damaged(url)
    assert not programme_checks.ends_in_punctuation(url)


@pytest.mark.parametrize("end", [".", ",", ";", ")", "]", "”", "?"])
def test_punctuation_at_the_end_of_an_address_is_found(end: str) -> None:
    assert programme_checks.ends_in_punctuation(f"https://forms.example/a{end}")


def test_addresses_of_sessions_references_and_materials_are_checked(conference: Conference, panel: Session) -> None:
    Session.objects.update(registration_url="http://https://forms.example")
    ReferenceFactory(conference=conference, url="https://source.example/1.")
    ConvenorshipFactory(session=panel, organisation=OrganisationFactory(web="https://body.example/a,"))
    MaterialFactory(conference=conference, url="https://papers.example/a b")

    found = findings(conference)

    assert [(f.code, f.row.kind) for f in found] == [
        ("address_damaged", "session"),
        ("address_damaged", "material"),
        ("address_ends_in_punctuation", "reference"),
        ("address_ends_in_punctuation", "organisation"),
    ]


def test_address_marked_as_broken_is_only_a_warning(conference: Conference, panel: Session) -> None:
    Session.objects.update(registration_url="https://for ms.example", registration_url_is_broken=True)

    (finding,) = findings(conference)

    assert (finding.code, finding.severity) == ("address_marked_broken", Severity.WARNING)


# --- speakers -----------------------------------------------------------------------------------------------------


def test_panel_without_a_moderator_is_a_warning(conference: Conference, panel: Session) -> None:
    Contribution.objects.update(status=ContributionStatus.DECLINED)
    SessionFactory(conference=conference, kind="opening")

    assert codes(conference) == [("moderator_missing", "panel")]


@pytest.mark.parametrize(("speakers", "found"), [(0, []), (1, []), (2, [("moderator_missing", "side")])])
def test_side_event_needs_a_moderator_once_several_people_speak(
    conference: Conference, speakers: int, found: list[tuple[str, str]]
) -> None:
    side = SideEventFactory(conference=conference, key="side", registration_mode="none")
    ContributionFactory.create_batch(speakers, session=side)

    assert codes(conference) == found


def test_seat_to_be_confirmed_is_a_warning_until_it_is_settled(conference: Conference, panel: Session) -> None:
    seat = ContributionFactory(
        session=panel, person=None, unnamed_label={"en": "A voter"}, status=ContributionStatus.TBC
    )
    assert [finding.text for finding in findings(conference)] == ["“A voter” in “The panel” is still to be confirmed."]

    seat.final_status = ContributionStatus.CONFIRMED
    seat.save()

    assert codes(conference) == []


def test_moderator_who_speaks_elsewhere_at_the_same_time_is_an_error(conference: Conference, panel: Session) -> None:
    moderator = Person.objects.get()
    other = SessionFactory(
        conference=conference, kind="opening", title={"en": "Opening"}, starts_at=at(9, 30), ends_at=at(11)
    )
    ContributionFactory(session=other, person=moderator)
    ContributionFactory(session=other, person=moderator, role=Role.CHAIR)

    (finding,) = findings(conference)

    assert (finding.code, finding.severity, finding.row.kind) == ("person_overlap", Severity.ERROR, "contribution")
    assert moderator.display_name in finding.text
    assert "“The panel” (Moderator)" in finding.text
    assert "“Opening” (Speaker)" in finding.text


def test_sentences_are_english_whatever_the_language_of_the_reader(conference: Conference, panel: Session) -> None:
    Session.objects.update(format="in_person")
    AdmissionFactory(session=panel)

    with translation.override("ru"):
        (finding,) = findings(conference)

    assert finding.text == "Admission on-line to “The panel” does not fit the format in_person."


def test_sessions_that_touch_and_roles_in_one_session_are_no_overlap(conference: Conference, panel: Session) -> None:
    moderator = Person.objects.get()
    ContributionFactory(session=panel, person=moderator)
    later = SessionFactory(conference=conference, kind="opening", starts_at=at(10), ends_at=at(11))
    ContributionFactory(session=later, person=moderator)

    assert codes(conference) == []


def test_segments_with_times_of_their_own_decide_about_overlaps(conference: Conference, panel: Session) -> None:
    other = SessionFactory(conference=conference, kind="opening", starts_at=at(8, 45))
    segment = SegmentFactory(session=other, starts_at=at(8, 45), ends_at=at(9))
    ContributionFactory(session=other, segment=segment, person=Person.objects.get())

    assert codes(conference) == []


def test_speaker_by_video_may_be_in_two_sessions_with_a_warning(conference: Conference, panel: Session) -> None:
    other = SessionFactory(conference=conference, kind="opening")
    ContributionFactory(session=other, person=Person.objects.get(), delivery="video")

    (finding,) = findings(conference)

    assert (finding.code, finding.severity) == ("person_overlap_by_video", Severity.WARNING)


def test_findings_name_no_hidden_person(conference: Conference, panel: Session) -> None:
    person = PersonFactory(is_hidden=True, display_name="Canary Name")
    ContributionFactory(session=panel, person=person, name_printed="Canary Print", status=ContributionStatus.TBC)

    assert [f.text for f in findings(conference)] == ["A hidden person in “The panel” is still to be confirmed."]
