"""Checks of a programme: days and times, languages."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from events import programme_checks
from events.models import Conference, ConferenceDay, Session, SessionState
from events.programme_checks import Severity, completeness
from speakers.models import Contribution
from tests.events.programme_checks.found import at, codes, findings
from tests.factories import (
    ConferenceDayFactory,
    ContributionFactory,
    MaterialFactory,
    PersonFactory,
    RecommendationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)


def test_a_programme_without_faults_has_no_findings(conference: Conference, panel: Session) -> None:
    assert codes(conference) == []


# --- days and times -----------------------------------------------------------------------------------------------


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


# --- languages ----------------------------------------------------------------------------------------------------


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
