"""The programme file: what is written, and what is left alone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alliance.languages import Translations
from events import programme_file
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Country,
    CountryStatus,
    Organisation,
    Segment,
    SegmentVisibility,
    Session,
    SessionState,
)
from events.programme_file import sections
from registration.models import Admission, ApprovalMode, Places
from speakers.models import Contribution, ContributionStatus, Person
from tests.events.programme_files import SMALL, changed
from tests.factories import RegistrationFactory


def writes(queries: CaptureQueriesContext) -> list[str]:
    """The statements that change rows."""
    return [
        query["sql"] for query in queries if query["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    ]


# --- what is written ----------------------------------------------------------------------------------------------


def test_import_writes_the_conference_with_its_days_and_sessions(db: None) -> None:
    outcome = programme_file.load(SMALL.encode())

    conference = Conference.objects.get()
    assert outcome.changed
    assert conference.slug == "small-1"
    assert conference.title == {"en": "First small meeting", "ru": "Первая малая встреча"}
    assert conference.state == ConferenceState.PUBLISHED
    assert conference.working_languages == ["en", "Klingon"]
    assert conference.interpretation_languages is None
    assert [day.label_printed for day in ConferenceDay.objects.order_by("number")] == ["Day 1", "Day 2"]
    assert [(s.key, s.slug, s.state) for s in Session.objects.in_programme_order()] == [
        ("opening", "opening", SessionState.SCHEDULED),
        ("panel-a", "panel-on-small-things", SessionState.SCHEDULED),
        ("panel-b", "panel-on-smaller-things", SessionState.SCHEDULED),
        ("side", "on-the-side", SessionState.SCHEDULED),
    ]


def test_import_keeps_a_session_without_times_as_it_is(db: None) -> None:
    programme_file.load(SMALL.encode())

    opening = Session.objects.get(key="opening")

    assert (opening.starts_at, opening.ends_at) == (None, None)


def test_import_keeps_two_moderators_in_order_and_none_elsewhere(db: None) -> None:
    programme_file.load(SMALL.encode())

    moderators = Contribution.objects.filter(role="moderator").in_printed_order()

    assert [row.name for row in moderators.filter(session__key="panel-a")] == ["Ada Berg", "Cem Dal"]
    assert not moderators.filter(session__key="panel-b").exists()


def test_import_keeps_an_unnamed_seat_to_be_confirmed(db: None) -> None:
    programme_file.load(SMALL.encode())

    seat = Contribution.objects.get(person=None)

    assert (str(seat.unnamed_label), seat.status, seat.name) == ("A voter", ContributionStatus.TBC, "")


def test_import_shows_what_was_not_announced_only_afterwards(db: None) -> None:
    programme_file.load(SMALL.encode())

    assert Segment.objects.get(key="testimony").visibility == SegmentVisibility.AFTER
    assert Contribution.objects.get(role="testimony").visibility == SegmentVisibility.AFTER
    assert Segment.objects.get(key="welcoming_remarks").visibility == SegmentVisibility.BEFORE


def test_import_of_a_pseudonym_keeps_the_alias_and_nothing_else(db: None) -> None:
    programme_file.load(SMALL.encode())

    person = Person.objects.get(is_pseudonym=True)
    contribution = Contribution.objects.get(person=person)

    assert (person.display_name, person.internal_note, person.aliases) == ("Mira", "", [])
    assert contribution.internal_note == ""


def test_import_makes_the_admission_of_a_side_event_with_our_own_form(db: None) -> None:
    programme_file.load(SMALL.encode())

    admission = Admission.objects.get()

    assert admission.session is not None
    assert admission.session.key == "side"
    assert admission.places.capacity == 20
    assert admission.approval == ApprovalMode.AUDIENCE
    assert admission.audience_country_statuses == [CountryStatus.PARTICIPATING_STATE]


def test_import_takes_a_text_in_several_languages_from_an_alias(db: None) -> None:
    data = changed(
        ("    title: Opening\n", "    title: &same {en: Opening, ru: Открытие}\n"),
        ("title_printed: Welcome,", "title_printed: *same,"),
    )

    programme_file.load(data)

    assert Segment.objects.get(key="welcoming_remarks").heading == {"en": "Opening", "ru": "Открытие"}


def test_import_without_days_makes_one_for_each_date(db: None) -> None:
    start, end = SMALL.index("days:\n"), SMALL.index("sessions:\n")

    programme_file.load((SMALL[:start] + SMALL[end:]).encode())

    assert [str(day) for day in ConferenceDay.objects.order_by("number")] == ["1: 2030-07-15", "2: 2030-07-16"]


def test_import_of_a_conference_without_sessions(db: None) -> None:
    text = SMALL[: SMALL.index("days:\n")] + SMALL[SMALL.index("organisations:\n") : SMALL.index("references:\n")]

    programme_file.load(text.encode())

    assert Conference.objects.get().sessions.count() == 0


def test_import_takes_parallel_side_events_and_a_person_in_both(db: None) -> None:
    seat = "      - {order: 1, role: speaker, person: ada, given_name: Ada, family_name: Berg, status: confirmed}\n"
    second = f"""  - key: side-2
    kind: side_event
    number: 2
    title: On the other side
    date: 2030-07-16
    position_in_day: 1
    start: "09:00"
    end: "10:00"
    mode: online
    registration: {{required: true, mode: external_google_form, url: 'forms.example/.', url_broken_as_printed: true}}
    contributions:
{seat}"""
    data = changed(
        ("    reference_numbers: [1]\n", f"    reference_numbers: [1]\n    contributions:\n{seat}{second}"),
        ("items: [side]", "items: [side, side-2]"),
    )

    programme_file.load(data)

    other = Session.objects.get(key="side-2")
    assert (other.registration_url, other.registration_url_is_broken) == ("forms.example/.", True)
    assert Contribution.objects.filter(person__key="ada", session__kind="side_event").count() == 2
    assert Admission.objects.count() == 1


# --- again --------------------------------------------------------------------------------------------------------


def test_import_twice_writes_nothing_the_second_time(db: None) -> None:
    programme_file.load(SMALL.encode())

    with CaptureQueriesContext(connection) as queries:
        outcome = programme_file.load(SMALL.encode())

    assert outcome.lines == []
    assert writes(queries) == []


def test_dry_run_prints_the_same_and_writes_nothing(db: None) -> None:
    dry = programme_file.load(SMALL.encode(), dry_run=True)

    assert not Conference.objects.exists()
    assert dry == programme_file.load(SMALL.encode())


def test_import_of_an_edited_file_changes_and_prints_only_the_differences(db: None) -> None:
    programme_file.load(SMALL.encode())
    before = {row.pk: row.updated_at for row in Session.objects.all()}

    outcome = programme_file.load(
        changed(
            ("  theme: Small things", "  theme: Large things"),
            ('    start: "10:00"\n    end: "11:00"', '    start: "08:30"\n    end: "09:30"'),
            ("role_title: Head", "role_title: Deputy Head"),
            ("organisation: office, with_unit: unit}", "organisation: office}"),
            ("    capacity: 20\n", "    capacity: 25\n"),
            ("value: 70}", "value: 71}"),
        )
    )

    assert outcome.lines == [
        "conference small-1: theme.en: “Small things” -> “Large things”",
        "session panel-a: starts_at: 2030-07-15 08:00:00+00:00 -> 2030-07-15 06:30:00+00:00",
        "session panel-a: ends_at: 2030-07-15 09:00:00+00:00 -> 2030-07-15 07:30:00+00:00",
        "convenor side/office (convenor): with_unit: “unit” -> nothing",
        "contribution opening/ada (welcoming_remarks): role_title.en: “Head” -> “Deputy Head”",
        "admission side (online): capacity: 20 -> 25",
        "figure registered: value: 70 -> 71",
    ]
    touched = {row.key for row in Session.objects.all() if row.updated_at != before[row.pk]}
    assert touched == {"panel-a"}
    assert Places.objects.get().capacity == 25


def test_import_of_a_plain_text_leaves_translations_made_in_the_admin(db: None) -> None:
    programme_file.load(SMALL.encode())
    Session.objects.filter(key="opening").update(title=Translations({"en": "Opening", "it": "Apertura"}))

    outcome = programme_file.load(changed(("    title: Opening\n", "    title: Grand opening\n")))

    assert outcome.lines == ["session opening: title.en: “Opening” -> “Grand opening”"]
    assert Session.objects.get(key="opening").title == {"en": "Grand opening", "it": "Apertura"}


def test_import_leaves_what_the_file_does_not_say(db: None) -> None:
    programme_file.load(SMALL.encode())
    Conference.objects.update(state=ConferenceState.RUNNING)
    Session.objects.filter(key="panel-b").update(slug="mine", state=SessionState.CANCELLED)
    Admission.objects.update(approval=ApprovalMode.MANUAL)
    Person.objects.filter(key="ada").update(is_hidden=True, biography={"en": "Ours"})

    assert programme_file.load(SMALL.encode()).lines == []


def test_import_never_shows_what_a_person_has_hidden(db: None) -> None:
    programme_file.load(SMALL.encode())
    Segment.objects.filter(key="testimony").update(visibility=SegmentVisibility.NEVER)
    Contribution.objects.filter(role="testimony").update(visibility=SegmentVisibility.NEVER)

    outcome = programme_file.load(
        changed(("title_printed: null, in_agenda: false", "title_printed: null, in_agenda: true"))
    )

    assert outcome.lines == []
    assert Segment.objects.get(key="testimony").visibility == SegmentVisibility.NEVER


def test_import_removes_what_the_file_no_longer_has(db: None) -> None:
    programme_file.load(SMALL.encode())
    testimony = Contribution.objects.get(role="testimony")

    outcome = programme_file.load(
        changed(
            ("      - {order: 2, key: testimony, title_printed: null, in_agenda: false}\n", ""),
            ("      - {order: 2, segment: testimony,", "      - {order: 2,"),
            ("    recommendations:\n      - Think small\n", ""),
        )
    )

    assert outcome.lines == [
        "recommendation panel-a/recommendation 1: removed",
        "contribution opening/alias-mira (testimony): segment: “testimony” -> nothing",
        "segment opening/testimony: removed",
    ]
    assert Contribution.objects.get(role="testimony").public_id == testimony.public_id


def test_import_refuses_to_remove_a_session_that_people_have_registered_for(db: None) -> None:
    programme_file.load(SMALL.encode())
    RegistrationFactory.create(admission=Admission.objects.get())
    text = SMALL[: SMALL.index("side_events:\n")] + SMALL[SMALL.index("persons:\n") : SMALL.index("references:\n")]
    data = text.replace(", items: [side]", "").encode()

    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(data)

    assert [problem.text for problem in caught.value.problems] == [
        "session side is not in the file, but registrations depend on it: cancel it in the admin"
    ]
    assert Session.objects.filter(key="side").exists()


def test_import_may_swap_numbers_days_and_rooms(db: None) -> None:
    programme_file.load(SMALL.encode())
    data = changed(
        ("    number: 1\n    title: Panel on small", "    number: 2\n    title: Panel on small"),
        ("    number: 2\n    title: Panel on smaller", "    number: 1\n    title: Panel on smaller"),
        ('    start: "10:00"\n    end: "11:00"', '    start: "11:00"\n    end: "12:00"'),
        (
            '    position_in_day: 3\n    start: "11:00"\n    end: "12:00"',
            '    position_in_day: 3\n    start: "10:00"\n    end: "11:00"',
        ),
    )

    programme_file.load(data)

    assert [(s.key, s.number) for s in Session.objects.filter(kind="panel").order_by("starts_at")] == [
        ("panel-b", 1),
        ("panel-a", 2),
    ]


def test_import_may_move_all_days(db: None) -> None:
    programme_file.load(SMALL.encode())
    data = SMALL.replace("2030-07-16", "2030-07-17").replace("2030-07-15", "2030-07-16").encode()

    programme_file.load(data)

    assert [str(day) for day in ConferenceDay.objects.order_by("number")] == ["1: 2030-07-16", "2: 2030-07-17"]


def test_import_of_another_edition_shares_persons_and_organisations(db: None) -> None:
    programme_file.load(SMALL.encode())
    rows = set(Person.objects.values_list("pk", "public_id")) | set(Organisation.objects.values_list("pk", "public_id"))
    persons, organisations = SMALL.index("persons:\n"), SMALL.index("organisations:\n")
    # The second file names the persons by their ids alone and knows another spelling of an organisation.
    text = SMALL[:persons] + SMALL[organisations:]
    text = text.replace("small-1", "small-2").replace("  edition: 1\n", "  edition: 2\n")
    text = text.replace("2030-07", "2031-07")
    text = text.replace("name: Office,", "name: Office, name_variants: [{name: The Office, where: second}],")

    outcome = programme_file.load(text.encode())

    now = set(Person.objects.values_list("pk", "public_id")) | set(Organisation.objects.values_list("pk", "public_id"))
    assert now == rows
    assert outcome.lines[:2] == [
        "organisation office: aliases: nothing -> ['The Office']",
        "organisation office: alias_sources.The Office: nothing -> “second”",
    ]
    assert Contribution.objects.filter(person__key="ada").count() == 4
    assert Conference.objects.values_list("series__key", flat=True).distinct().get() == "small-meetings"
    # The first file again: what the second one found stays, and nothing goes back and forth.
    assert programme_file.load(SMALL.encode()).lines == []


def test_import_takes_a_country_of_the_house_by_any_of_its_names(db: None) -> None:
    Country.objects.create(iso2="AT", name={"en": "Republic of Austria"}, status=CountryStatus.PARTICIPATING_STATE)

    outcome = programme_file.load(SMALL.encode())

    country = Country.objects.get()
    assert outcome.lines[0] == "country AT: aliases: nothing -> ['Austria']"
    assert (str(country.name), country.aliases) == ("Republic of Austria", ["Austria"])


def test_sections_are_read_in_order_and_names_are_given_once() -> None:
    assert [section.name for section in sections.in_order()] == [
        "countries",
        "organisations",
        "persons",
        "topics",
        "conference",
        "sessions",
        "contributions",
        "references",
        "resources",
        "admissions",
        "statistics",
    ]
    with pytest.raises(ValueError, match="registered already"):
        sections.register("countries", 1, lambda document: lambda changes: None)
