"""The checks before publishing: each finding on a programme that has the fault, none on one that has not."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from events import programme_checks, programme_file
from events.models import Conference, ConferenceDay, Session, SessionState
from events.programme_checks import Finding, Severity, completeness, dates, sources
from registration.models import ApprovalMode, AttendanceMode, Category
from speakers.models import Contribution, ContributionStatus, Person, Role
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    RecommendationFactory,
    ReferenceFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
    TextSectionFactory,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
DATA = Path(__file__).resolve().parents[2] / "events" / "data" / "alliance-20.yaml"


def at(hour: int, minute: int = 0, *, day: int = 15) -> datetime:
    """An instant in July 2030, in UTC; Vienna is two hours ahead."""
    return datetime(2030, 7, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def conference(db: None) -> Conference:
    """A conference that has a working language, 15 to 17 July 2030."""
    made: Conference = ConferenceFactory(slug="checked", working_languages=["en"])
    return made


@pytest.fixture
def panel(conference: Conference) -> Session:
    """A panel without faults: 09:00 to 10:00 UTC on the first day, with a moderator."""
    made: Session = SessionFactory(conference=conference, key="panel", title={"en": "The panel"})
    ContributionFactory(session=made, role=Role.MODERATOR)
    return made


def findings(conference: Conference) -> list[Finding]:
    """What the checks find; translations are a matter of their own."""
    return [finding for finding in programme_checks.run(conference) if finding.code != "translation_missing"]


def codes(conference: Conference) -> list[tuple[str, str]]:
    """Code and key of the row of each finding."""
    return [(finding.code, finding.row.key) for finding in findings(conference)]


def test_a_programme_without_faults_has_no_findings(conference: Conference, panel: Session) -> None:
    assert codes(conference) == []


# --- days and times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "",
        "Day 1",
        "Day 1: Monday 15 July",
        "Monday, July 15th, 2030",
        "lundi 15 juillet 2030",
        "Montag, 15. Juli",
        "lunedì 15 luglio",
        "lunes, 15 de julio de 2030",
        "понедельник, 15 июля 2030 г.",
        "What may come",
    ],
)
def test_label_that_agrees_with_the_date_is_fine(label: str) -> None:
    assert not programme_checks.label_contradicts(ConferenceDay(date=date(2030, 7, 15), label_printed=label))


@pytest.mark.parametrize(
    "label",
    [
        "Day 1: Tuesday 15 July",
        "Monday 16 July",
        "Monday 15 June",
        "Monday 15 July 2029",
        "mardi 15 juillet",
        "lunes, 14 de julio",
        "вторник, 15 июля",
    ],
)
def test_label_that_names_another_date_is_found(label: str) -> None:
    assert programme_checks.label_contradicts(ConferenceDay(date=date(2030, 7, 15), label_printed=label))


def test_day_with_a_wrong_weekday_or_outside_the_conference_is_an_error(conference: Conference) -> None:
    ConferenceDayFactory(conference=conference, number=1, label_printed="Sunday")
    ConferenceDayFactory(conference=conference, number=2, date=date(2030, 7, 18))

    found = findings(conference)

    assert [(f.code, f.row.key, f.severity) for f in found] == [
        ("day_label_differs", "1", Severity.ERROR),
        ("day_outside_conference", "2", Severity.ERROR),
    ]
    assert found[0].text == "Day 1 is printed as “Sunday”, but its date is Monday 2030-07-15."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We meet on Tuesday, 21 July 2020.", []),
        ("We meet on Monday, 21 July 2020 at noon.", ["Monday 21 July 2020"]),
        ("On Monday, July 21st, 2020.", ["Monday July 21st 2020"]),
        ("Monday 15 July", []),
        ("Friday 15 July", ["Friday 15 July"]),
        ("Monday to Wednesday, 15 to 17 July", []),
        ("Wednesday 15-17 July", []),
        ("Thursday 15-17 July", ["Thursday 15 17 July"]),
        ("Monday, 15.07.2030 und Freitag, 16.07.2030", ["Freitag 16 July 2030"]),
        ("Friday. We go on in July.", []),
        ("Sunday, 31 February 2030", []),
        ("mardi 21 juillet 2020", []),
        ("lundi 21 juillet 2020", ["lundi 21 juillet 2020"]),
        ("lunes, 21 de julio de 2020", ["lunes 21 julio 2020"]),
        ("martedì 21 luglio 2020", []),
        ("в среду, 21 июля 2020 г.", ["среду 21 июля 2020"]),
        ("во вторник, 21 июля 2020 г.", []),
        ("Am Montag, den 21. Juli 2020", ["Montag 21 Juli 2020"]),
    ],
)
def test_weekday_that_is_not_that_of_its_date_is_found_in_a_text(text: str, found: list[str]) -> None:
    assert programme_checks.contradictions(text, {2030}) == found


def test_date_without_a_year_in_a_conference_without_dates_is_left_alone() -> None:
    assert programme_checks.contradictions("Friday 15 July", set()) == []


def test_dates_and_addresses_in_texts_are_warnings_at_their_session(conference: Conference, panel: Session) -> None:
    TextSectionFactory(
        session=panel,
        text={"en": "On Friday, 15 July. See http://https://a.example/b.", "fr": "Voir https://a.example/b, ou non."},
    )

    found = findings(conference)

    assert [(f.code, f.severity, f.row.session_id, f.row.path) for f in found] == [
        (code, Severity.WARNING, panel.pk, programme_checks.row_of(panel).path)
        for code in ("date_in_text_differs", "address_in_text_damaged")
    ]
    assert found[0].text == "A text (en) says “Friday 15 July”, which is another day of the week."


def test_segment_outside_its_session_is_a_warning(conference: Conference, panel: Session) -> None:
    SegmentFactory(session=panel, starts_at=at(9), ends_at=at(10))
    SegmentFactory(session=panel, starts_at=at(9, 30), ends_at=at(10, 15))

    assert [(f.code, f.text) for f in findings(conference)] == [
        ("segment_outside_session", "“The panel” has a segment from 11:30 to 12:15, outside its own time.")
    ]


def test_session_without_a_time_is_a_warning(conference: Conference, panel: Session) -> None:
    Session.objects.update(starts_at=None, ends_at=None)

    (finding,) = findings(conference)

    assert (finding.code, finding.severity, finding.text) == (
        "time_missing",
        Severity.WARNING,
        "“The panel” has no time.",
    )


def test_day_of_a_session_is_that_of_the_venue_not_of_utc(conference: Conference, panel: Session) -> None:
    """22:30 UTC on the 14th is half past midnight on the 15th in Vienna."""
    Session.objects.update(starts_at=at(22, 30, day=14), ends_at=at(23, 0, day=14))

    assert codes(conference) == []


def test_session_on_another_day_than_its_own_is_an_error(conference: Conference, panel: Session) -> None:
    Session.objects.update(starts_at=at(9, day=16), ends_at=at(10, day=16))

    (finding,) = findings(conference)

    assert (finding.code, finding.severity) == ("time_outside_day", Severity.ERROR)


@pytest.mark.parametrize(("end", "found"), [(at(22), []), (at(22, 30), [("ends_after_midnight", "panel")])])
def test_session_may_end_at_midnight_and_later_with_a_warning(
    conference: Conference, panel: Session, end: datetime, found: list[tuple[str, str]]
) -> None:
    Session.objects.update(starts_at=at(20), ends_at=end)

    assert codes(conference) == found


def test_side_event_outside_the_conference_is_an_error(conference: Conference) -> None:
    SideEventFactory(
        conference=conference,
        day=None,
        key="side",
        registration_mode="none",
        starts_at=at(9, day=18),
        ends_at=at(10, day=18),
    )

    (finding,) = findings(conference)

    assert (finding.code, finding.row.key, finding.severity) == ("outside_conference", "side", Severity.ERROR)
    assert "/sideevent/" in finding.row.admin_url


def test_cancelled_session_has_no_findings(conference: Conference) -> None:
    SessionFactory(conference=conference, starts_at=None, ends_at=None, state=SessionState.CANCELLED)

    assert codes(conference) == []


# --- languages ------------------------------------------------------------------------------------------------------


def test_missing_working_language_is_a_warning_and_interpretation_without_one_an_error(panel: Session) -> None:
    conference = panel.conference
    Conference.objects.update(working_languages=None)
    conference.refresh_from_db()
    assert codes(conference) == [("language_missing", "panel")]

    Session.objects.update(interpretation_languages=["ru"])

    (finding,) = findings(conference)
    assert (finding.code, finding.severity) == ("interpretation_without_language", Severity.ERROR)


def test_interpretation_of_a_conference_without_working_language_is_an_error(conference: Conference) -> None:
    conference.working_languages = None
    conference.interpretation_languages = ["ru"]

    assert codes(conference) == [("interpretation_without_language", "checked")]


def test_missing_translations_are_counted_for_each_language(conference: Conference) -> None:
    SessionFactory(conference=conference, title={"en": "Opening", "ru": "Открытие"}, kind="opening")
    ContributionFactory(session=Session.objects.get(), person=PersonFactory(is_pseudonym=True))

    texts = [f.text for f in programme_checks.run(conference) if f.code == "translation_missing"]

    assert texts == [
        "4 of 4 texts are missing in fr.",
        "3 of 4 texts are missing in de.",
        "4 of 4 texts are missing in it.",
        "4 of 4 texts are missing in es.",
        "2 of 4 texts are missing in ru.",
    ]


def test_texts_are_counted_once_each_over_all_that_is_printed(conference: Conference, panel: Session) -> None:
    room = RoomFactory(name={"en": "Hall", "fr": "Salle"})
    Session.objects.update(room=room)
    SessionFactory(conference=conference, room=room, state="cancelled", title={"en": "Never"})
    SegmentFactory(session=panel, heading={"en": "Speakers", "fr": "Orateurs"})
    TextSectionFactory(session=panel, text={"fr": "Un texte."})
    RecommendationFactory(session=panel, addressee={"en": "States"})
    MaterialFactory(conference=conference, session=panel, title={"en": "A film", "fr": "Un film"})
    Contribution.objects.update(role_title={"en": "Adviser", "fr": "Conseillère"}, topic={"en": "A talk"})

    texts = programme_checks.texts_of(programme_checks.programme_of(conference))
    by_code = {figure.language: (figure.written, figure.total) for figure in programme_checks.figures(texts)}

    assert (by_code["en"], by_code["fr"]) == ((11, 12), (5, 12))
    assert [str(text.text) for text in completeness.missing_in(texts, "en")] == ["Un texte."]
    assert [text.shown for text in completeness.missing_in(texts, "fr")][-1] == ("A talk", "en")


def test_figure_says_all_only_when_nothing_is_missing() -> None:
    assert completeness.Figure("fr", 299, 300).percent == 99
    assert completeness.Figure("fr", 300, 300).percent == 100
    assert completeness.Figure("fr", 0, 0).percent == 100


# --- addresses ------------------------------------------------------------------------------------------------------


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


# --- speakers -------------------------------------------------------------------------------------------------------


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


# --- admissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other_conference", [False, True])
def test_room_that_a_draft_would_book_twice_is_a_warning(
    conference: Conference, panel: Session, other_conference: bool
) -> None:
    room = RoomFactory(name={"en": "Hall"})
    Session.objects.update(room=room)
    where = ConferenceFactory() if other_conference else conference
    SessionFactory(conference=where, kind="opening", room=room, state="draft", title={"en": "Other"})
    SessionFactory(conference=where, kind="opening", room=room, state="draft", starts_at=at(10), ends_at=at(11))
    SessionFactory(conference=where, kind="opening", room=room, state="cancelled")

    (finding,) = findings(conference)

    assert finding.text == "“The panel” and “Other” are in Hall at the same time."


@pytest.fixture
def side(conference: Conference) -> Session:
    """A side event with its own form in a room with 100 seats."""
    made: Session = SideEventFactory(conference=conference, key="side", room=RoomFactory(name={"en": "Hall"}))
    return made


@pytest.mark.parametrize(("capacity", "found"), [(100, []), (101, ["room_too_small"]), (None, ["room_without_limit"])])
def test_room_holds_all_who_are_admitted_in_person(side: Session, capacity: int | None, found: list[str]) -> None:
    AdmissionFactory(session=side, mode=AttendanceMode.IN_PERSON, capacity=capacity)
    AdmissionFactory(session=side, mode=AttendanceMode.ONLINE, capacity=5000)

    assert [code for code, _key in codes(side.conference)] == found


@pytest.mark.parametrize(
    ("capacity", "changed", "found"),
    [
        (101, {}, ["room_smaller_than_conference"]),
        (100, {}, []),
        (None, {}, []),
        (101, {"format": "online"}, []),
        (101, {"registration_mode": "invitation"}, []),
        (101, {"starts_at": None, "ends_at": None}, ["time_missing"]),
    ],
)
def test_room_of_a_session_for_all_holds_the_conference(
    conference: Conference, panel: Session, capacity: int | None, changed: dict[str, Any], found: list[str]
) -> None:
    Session.objects.update(room=RoomFactory(), **changed)
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.IN_PERSON, capacity=capacity)
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.ONLINE, capacity=5000)

    assert [code for code, _key in codes(conference)] == found


def test_room_of_one_of_two_parallel_sessions_need_not_hold_all(conference: Conference, panel: Session) -> None:
    Session.objects.update(room=RoomFactory())
    SessionFactory(conference=conference, kind="workshop", room=RoomFactory())
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.IN_PERSON, capacity=101)

    assert codes(conference) == []


def test_side_event_with_its_own_form_needs_an_admission(side: Session) -> None:
    assert codes(side.conference) == [("admission_missing", "side")]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"opens_at": at(8), "closes_at": at(10)}, []),
        ({"opens_at": at(9)}, ["admission_opens_after_start"]),
        ({"opens_at": at(10)}, ["admission_opens_too_late"]),
        ({"closes_at": at(11)}, ["admission_closes_after_end"]),
        ({"approval": ApprovalMode.AUDIENCE}, ["audience_empty"]),
        ({"approval": ApprovalMode.AUDIENCE, "audience_categories": [Category.MEDIA]}, []),
        ({"approval": ApprovalMode.MANUAL, "audience_categories": [Category.MEDIA]}, ["audience_without_effect"]),
    ],
)
def test_windows_and_audiences_of_admissions(side: Session, fields: dict[str, object], found: list[str]) -> None:
    AdmissionFactory(session=side, **fields)

    assert [code for code, _key in codes(side.conference)] == found


def test_admission_that_does_not_fit_the_format_is_a_warning(side: Session) -> None:
    Session.objects.update(format="in_person")
    AdmissionFactory(session=side)

    assert [code for code, _key in codes(side.conference)] == ["admission_mode_differs"]


# --- the whole ------------------------------------------------------------------------------------------------------


def everything(conference: Conference, count: int) -> None:
    """So many sessions with all that is checked."""
    for _number in range(count):
        session = SideEventFactory(conference=conference)
        for _seat in range(2):
            ContributionFactory(
                session=session,
                segment=SegmentFactory(session=session),
                organisation=OrganisationFactory(),
                country=CountryFactory(),
                country_meaning="stated",
            )
        AdmissionFactory(session=session)
        ReferenceFactory(conference=conference)
        MaterialFactory(conference=conference)


def test_number_of_queries_does_not_grow(conference: Conference) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            programme_checks.run(conference)
        return len(captured)

    everything(conference, 1)
    few = queries()
    everything(conference, 5)

    assert queries() == few == 16


def test_number_of_queries_for_errors_alone_does_not_grow(conference: Conference) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            programme_checks.errors(conference)
        return len(captured)

    everything(conference, 1)
    few = queries()
    everything(conference, 5)

    assert queries() == few == 9


def test_errors_are_those_of_the_whole_run(conference: Conference, panel: Session) -> None:
    ConferenceDay.objects.update(label_printed="Sunday")
    Session.objects.update(starts_at=None, ends_at=None, registration_url="https://forms.example/%zz")

    found = programme_checks.errors(conference)

    assert [finding.code for finding in found] == ["day_label_differs", "address_damaged"]
    assert found == [finding for finding in programme_checks.run(conference) if finding.severity == Severity.ERROR]


def test_every_finding_leads_to_a_page_of_the_admin(conference: Conference, panel: Session, client: Client) -> None:
    client.force_login(StaffFactory(is_superuser=True))
    Session.objects.update(starts_at=None, ends_at=None, registration_url="x")
    ConferenceDay.objects.update(label_printed="Sunday")
    Contribution.objects.update(status=ContributionStatus.TBC)
    AdmissionFactory(session=panel, approval=ApprovalMode.AUDIENCE)
    found = programme_checks.run(conference)
    assert len({finding.row.kind for finding in found}) == 5

    for url in {finding.row.admin_url for finding in found}:
        assert client.get("/" + url.split("/", 3)[3]).status_code == 200, url


def output_of(slug: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("check_programme", slug, stdout=out)
    return out.getvalue()


def test_command_prints_findings_in_groups_and_passes_with_warnings(conference: Conference, panel: Session) -> None:
    Session.objects.update(starts_at=None, ends_at=None, title={"en": "Clear\x1b[2J"})

    text = output_of("checked")

    assert (
        "\nlanguages\n"
        "  en  100 %  5 of 5 texts\n"
        "  fr    0 %  0 of 5 texts\n"
        "  de   20 %  1 of 5 texts\n"
        "  it    0 %  0 of 5 texts\n"
        "  es    0 %  0 of 5 texts\n"
        "  ru   20 %  1 of 5 texts\n"
    ) in text
    assert text.startswith(
        "warning: time_missing\n  “Clear\N{REPLACEMENT CHARACTER}[2J” has no time.\n    session panel  "
    )
    assert "\nwarning: translation_missing\n" in text
    assert text.splitlines()[-1].startswith("0 error(s), ")


def test_command_fails_with_errors_and_for_an_unknown_conference(conference: Conference) -> None:
    ConferenceDayFactory(conference=conference, label_printed="Sunday")

    with pytest.raises(CommandError, match=r"^1 error\(s\), \d+ warning\(s\)$"):
        output_of("checked")
    with pytest.raises(CommandError, match="There is no conference nowhere"):
        output_of("nowhere")


def test_command_writes_nothing(conference: Conference, panel: Session) -> None:
    with CaptureQueriesContext(connection) as captured:
        output_of("checked")

    assert all(query["sql"].lstrip().upper().startswith("SELECT") for query in captured)


def test_the_programme_that_comes_with_the_house_has_only_warnings(db: None) -> None:
    """The agenda of 2020 printed no times for the panels, and no languages."""
    programme_file.load(DATA.read_bytes())

    found = programme_checks.run(Conference.objects.get())

    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert {finding.code for finding in found} == {
        "time_missing",
        "language_missing",
        "translation_missing",
        "admission_closes_after_end",
    }
    assert sum(finding.code == "time_missing" for finding in found) == 6


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
def test_the_whole_programme_of_2020_can_be_checked(db: None) -> None:
    programme_file.load(SHARED.read_bytes())

    found = findings(Conference.objects.get())

    assert {(finding.severity, finding.code) for finding in found} == {
        (Severity.WARNING, "time_missing"),
        (Severity.WARNING, "language_missing"),
    }


def test_a_check_is_registered_once() -> None:
    programme_checks.register("days", 10, dates.check_days)
    programme_checks.register_texts("programme", 10, sources.texts)

    with pytest.raises(ValueError, match="days is registered already"):
        programme_checks.register("days", 10, dates.check_texts)
    with pytest.raises(ValueError, match="texts of programme are registered already"):
        programme_checks.register_texts("programme", 10, lambda programme: [])
