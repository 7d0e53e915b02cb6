"""The programme file: what is refused and how that is told, what is written, and what is left alone."""

from __future__ import annotations

import contextlib
import io
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
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
from events.programme_file import importing, sections, yaml_text
from events.programme_file.problems import Problem
from registration.models import Admission, ApprovalMode, Places
from speakers.models import Contribution, ContributionStatus, Person
from tests.factories import AffiliationFactory, RegistrationFactory

SMALL = (Path(__file__).parent / "small_programme.yaml").read_text(encoding="utf-8")


def changed(*pairs: tuple[str, str]) -> bytes:
    """The small programme with texts replaced; each must stand there exactly once."""
    text = SMALL
    for old, new in pairs:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text.encode()


def line_of(part: str, text: str = SMALL) -> int:
    """The line in which something stands, from 1."""
    return text[: text.index(part)].count("\n") + 1


def problems_of(data: bytes) -> list[Problem]:
    """What the import says is wrong; nothing may have been written."""
    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(data)
    assert not Conference.objects.exists()
    assert not Person.objects.exists()
    return caught.value.problems


def writes(queries: CaptureQueriesContext) -> list[str]:
    """The statements that change rows."""
    return [
        query["sql"] for query in queries if query["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    ]


# --- what is written ------------------------------------------------------------------------------------------------


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


# --- again ----------------------------------------------------------------------------------------------------------


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


# --- what is refused ------------------------------------------------------------------------------------------------


# What stands in the file, what is written instead, where the problem must be found (None: where that now stands),
# and how the message begins.
REFUSED: list[tuple[str, str, str | None, str]] = [
    ("  theme: Small", "  teme: Small", None, "unknown key “teme”; did you mean “theme”?"),
    ("  edition: 1\n", "  edition: first\n", None, "edition: expected a whole number, found “first”"),
    ("  edition: 1\n", '  edition: "1"\n', None, "edition: expected a whole number, without quotes, found “1”"),
    ("  edition: 1\n", "  edition: 99999\n", None, "edition: expected a number from 0 to 32767, found 99999"),
    ("  format: hybrid", "  format: hybird", None, "format: “hybird” is not known; did you mean “hybrid”?"),
    ("  theme: Small things", "  theme: [Small]", None, "theme: expected a text or its translations, found a list"),
    ("  theme: Small things", "  theme: {la: Parva}", None, "theme: “la” is no language of the house; expected en, fr"),
    (
        "  theme: Small things",
        "  theme: 2030",
        None,
        'theme: 2030 without quotes is not read as text everywhere: write "',
    ),
    ("abbreviation: UN,", "abbreviation: NO,", None, "abbreviation: NO without quotes is not read as text everywhere"),
    ("  livestream: false", "  livestream: no", None, "livestream: expected true or false, found “no”"),
    ("  timezone: Europe/Vienna", "  timezone: Etc/GMT-2", None, "timezone: “Etc/GMT-2” is not a time zone of a place"),
    ('_dates: "+02:00"', '_dates: "+01:00"', None, "utc_offset_on_these_dates: is +01:00, but Europe/Vienna is UTC+2"),
    ("_dates: CEST", "_dates: CET", None, "timezone_abbreviation_on_these_dates: is CET, but Europe/Vienna has CEST"),
    ("  start_date: 2030-07-15", "  start_date: 2030-02-30", None, "start_date: expected a date such as 2020-07-20"),
    ("  end_date: 2030-07-16", "  end_date: 2030-07-14", None, "end_date: 2030-07-14 is before start_date 2030-07-15"),
    (
        '    start: "10:00"',
        "    start: 10:00",
        None,
        'start: 10:00 without quotes is a number to many programs: write "',
    ),
    (
        '    start: "10:00"',
        '    start: "25:00"',
        None,
        'start: expected a time in quotes such as "11:30", found “25:00”',
    ),
    ('    start: "10:00"', '    start: "11:00"', '    end: "11:00"', "end: is not after the start"),
    ('    start: "10:00"\n', "", "  - key: panel-a", "start: is missing: give both start and end, or neither"),
    (
        "    date: 2030-07-16\n",
        "    date: 2030-07-26\n",
        None,
        "date: 2030-07-26 is outside the conference, which is from",
    ),
    (
        "organiser: office",
        "organiser: ofice",
        None,
        "“ofice” is neither in organisations nor known from before; did you",
    ),
    ("person: cem,", "person: cen,", None, "“cen” is neither in persons nor known from before; did you mean “cem”?"),
    ("country: Austria, country_b", "country: Astria, country_b", None, "“Astria” is neither in countries nor known"),
    ("segment: testimony,", "segment: testimon,", None, "segment: “testimon” is not a segment of this session"),
    ("event: side,", "event: sode,", None, "“sode” is neither in sessions nor known from before"),
    (
        "    reference_numbers: [1]",
        "    reference_numbers: [2]",
        None,
        "reference_numbers: 2 is not among the references",
    ),
    (
        "  - key: panel-b",
        "  - key: panel-a",
        "  - key: panel-a\n    kind: panel\n    number: 2",
        "key: “panel-a” stands twice",
    ),
    (
        "id: cem, given_name: Cem",
        "id: ada, given_name: Cem",
        None,
        "id: “ada” stands twice in persons; the first is in line",
    ),
    (
        "    number: 2\n    title: Panel",
        "    number: 1\n    title: Panel on smaller",
        None,
        "number: panel 1 stands twice",
    ),
    (
        "order: 2, role: moderator, person: cem",
        "order: 1, role: moderator, person: cem",
        None,
        "order: 1 stands twice in this session",
    ),
    ("  - {order: 2, key: testimony", "  - {order: 1, key: testimony", None, "order: 1 stands twice in this session"),
    (
        'ition_in_day: 3\n    start: "11:00"',
        'ition_in_day: 3\n    start: "10:30"',
        "    room: Room 1\n\nside",
        "room: is taken by",
    ),
    ("items: [opening, panel-a,", "items: [panel-a, opening,", None, "items: the order differs from position_in_day"),
    (
        "required: true, mode: own_form",
        "required: false, mode: own_form",
        None,
        "required: is false, but the mode is own",
    ),
    (", country_basis: stated", "", "role: moderator, person: cem", "country_basis: country and country_basis belong"),
    ("unnamed_label: A voter, ", "", "role: speaker, person: null", "person: is missing: give a person, or an unnamed"),
    ("person: null, unnamed", "person: cem, unnamed", None, "status: is unnamed, but a person is given"),
    (
        "given_name: Mira, role_title",
        "given_name: Mirjana, role_title",
        None,
        "given_name: “alias-mira” is a pseudonym",
    ),
    ("pseudonym: true,", "pseudonym: true, biography: Once,", None, "pseudonym: a pseudonym has no other spellings"),
    ("null, pseudonym: true,", "Dal, pseudonym: true,", None, "pseudonym: a pseudonym has no other name"),
    ("pseudonym: true,", "pseudonym: true, sort_name: 'Dal, M',", None, "pseudonym: a pseudonym has no other name"),
    (
        "category_sum_derived: 70",
        "category_sum_derived: 71",
        None,
        "category_sum_derived: is 71, but the categories add",
    ),
    ('iso2: "AT"', 'iso2: "at"', None, "iso2: expected two capital letters in quotes, found “at”"),
    ("part_of: office", "part_of: unit", None, "part_of: “unit” would be a part of itself"),
    ("https://source.example/book", "htps:/source", None, "url: Enter a valid URL. Found “htps:/source”"),
    ("office@office.example", "office at office", None, "email: Enter a valid email address. Found “office at office”"),
    (
        "key: small-1",
        "key: small one",
        None,
        "key: expected letters a-z, digits, hyphens and underscores, found “small",
    ),
    ("qualifier: more_than", "qualifier: loads", None, "qualifier: “loads” is not known"),
    ("    capacity: 20", "    capacity: -5", None, "capacity: expected a number from 0 to"),
    ("  series: Small meetings\n", "", "  edition: 1", "edition: needs a series"),
    (
        "\nsources:\n  -",
        "\nsources: &x [*x]\nolder_sources:\n  -",
        "sources: &x",
        "the alias *x stands inside its own anchor",
    ),
    (
        "  theme: Small things",
        "  theme: Small things\n  theme: Other",
        "  theme: Other",
        "the key “theme” stands twice; the first",
    ),
    (
        "  theme: Small things",
        "  theme: !!python/object:os.system x",
        None,
        "the tag tag:yaml.org,2002:python/object:os.sys",
    ),
    ("  theme: Small things", "  theme: *nowhere", None, "the alias *nowhere has no anchor &nowhere above it"),
    ("  theme: Small things", "  theme: {en: Small things", "  start_date", "this is not YAML: "),
    (
        "  theme: Small things",
        "  theme: Small\x0bthings",
        None,
        "the character U+000B is not allowed: remove it",
    ),
    ("\nsources:\n", "\n---\nsources:\n", "---\nsources", "a second YAML document begins here"),
    (
        "format: alliance-programme/1",
        "format: alliance-programme/2",
        None,
        "format: expected alliance-programme/1, found",
    ),
    ("  title: {en: First small meeting, ru: Первая малая встреча}", "  title: {}", None, "title: "),
    (
        "  title: {en: First small meeting, ru: Первая малая встреча}",
        "  title: null",
        None,
        "title: is null, but needs a",
    ),
]


@pytest.mark.parametrize(("old", "new", "at", "message"), REFUSED)
def test_import_refuses_and_says_where_and_what_is_expected(
    db: None, old: str, new: str, at: str | None, message: str
) -> None:
    data = changed((old, new))

    problems = problems_of(data)

    line = line_of(at or new, data.decode())
    assert [problem.line for problem in problems if problem.text.startswith(message)] == [line], problems


def test_import_lists_all_problems_at_once_by_line(db: None) -> None:
    data = changed(
        ("  theme: Small things", "  teme: Small things"),
        ('    start: "10:00"', "    start: 10:00"),
        ("person: cem,", "person: cen,"),
    )

    problems = problems_of(data)

    assert [(problem.line, problem.text.partition(":")[0]) for problem in problems] == [
        (line_of("  theme: Small"), "unknown key “teme”; did you mean “theme”?"),
        (line_of('    start: "10:00"'), "start"),
        (line_of("person: cem,"), "“cen” is neither in persons nor known from before; did you mean “cem”?"),
    ]


def test_import_refuses_bytes_that_are_not_utf8_with_their_line(db: None) -> None:
    data = SMALL.replace("First small meeting", "First sm\u00e4ll meeting").encode("cp1251", "replace")
    data = data.replace(b"First sm?ll", b"First sm\xe4ll")

    assert problems_of(data) == [Problem(line_of("First small"), "the byte 0xe4 is not UTF-8: save the file as UTF-8")]


def test_import_refuses_a_file_of_another_kind(db: None) -> None:
    for data in (b"", b"- a\n- b\n", b"just text", b"\x00\x01\x02"):
        assert len(problems_of(data)) == 1


def test_import_refuses_a_huge_file_without_reading_it(db: None, tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as out:
        out.truncate(50_000_000)
    errors = io.StringIO()

    with pytest.raises(CommandError, match="1 problem"):
        call_command("import_programme", str(file), stderr=errors)

    assert errors.getvalue() == f"{file}: the file has 5,000,001 bytes; a programme file has at most 5,000,000\n"


def test_import_refuses_aliases_that_explode(db: None) -> None:
    bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    bomb += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    problems = problems_of("\n".join(["format: alliance-programme/1", *bomb]).encode())

    assert [problem.text for problem in problems] == [
        "more than 200,000 values (after following aliases): this is no programme"
    ]


def test_import_refuses_too_many_aliases_and_too_deep_a_nest(db: None) -> None:
    many = "a: &a x\nb: [" + ",".join(["*a"] * (yaml_text.MOST_ALIASES + 1)) + "]"

    assert problems_of(many.encode())[0].text == "more than 1000 aliases: write the values out"
    assert problems_of(("a: " + "[" * 100_000).encode())[0].text == "nested deeper than 40 levels"


def test_import_stops_listing_when_a_file_is_of_another_kind(db: None) -> None:
    data = SMALL + "".join(f"key_{number}: 1\n" for number in range(1000))

    problems = problems_of(data.encode())

    assert len(problems) == 201
    assert problems[0].text == "more than 200 problems: the rest is not listed"


@pytest.mark.parametrize("escape", ["\\0", "\\a", "\\r", "\\x85", "\\ud800"])
def test_import_refuses_characters_that_no_page_can_show(db: None, escape: str) -> None:
    data = changed(("  theme: Small things", f'  theme: "Small{escape} things"'))

    assert [problem.line for problem in problems_of(data)] == [line_of("  theme")]


def test_damaged_bytes_are_refused_or_read_and_never_break() -> None:
    chance = random.Random(20)
    for _attempt in range(300):
        data = bytearray(SMALL.encode())
        for _flip in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(programme_file.InvalidFile):
            assert isinstance(yaml_text.parse(bytes(data)), yaml_text.Mapping)


STRANGE_VALUES: list[Any] = [
    None, [], {}, [[]], {"x": 1}, [{"x": None}], "x" * 70_000, 2030, -1, 10**30, 1.5, True, "11:30", "2030-07-15",
    "http://[", "ж" * 300, {"en": "x", "ru": 5}, [None], ["x", None, {}],
]  # fmt: skip


def places_in(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to every value of nested lists and dicts."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places_in(part, (*path, key))


@pytest.mark.parametrize("seed", range(50))
def test_strange_values_are_refused_or_taken_and_never_break(db: None, seed: int) -> None:
    """Two values anywhere in the file are replaced by something else."""
    chance = random.Random(seed)
    programme = yaml.safe_load(SMALL)
    for _replacement in range(2):
        *path, last = chance.choice(list(places_in(programme)))
        parent = programme
        for key in path:
            parent = parent[key]
        parent[last] = chance.choice(STRANGE_VALUES)

    with contextlib.suppress(programme_file.InvalidFile):
        programme_file.load(yaml.safe_dump(programme, allow_unicode=True).encode())


def test_import_refuses_to_run_beside_another(db: None) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [importing.LOCK])

        problems = problems_of(SMALL.encode())
    finally:
        other.close()

    assert problems == [Problem(0, "another import is running: try again when it has ended")]


@pytest.mark.django_db(transaction=True)
def test_import_never_overwrites_unseen_what_somebody_writes_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    programme_file.load(SMALL.encode())
    alone = importing._alone

    def somebody() -> None:
        Session.objects.filter(key="side").update(title={"en": "By somebody else"})
        connection.close()

    def meanwhile() -> None:
        alone()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(somebody).result(timeout=10)

    monkeypatch.setattr(importing, "_alone", meanwhile)

    with pytest.raises(programme_file.ChangedMeanwhile):
        programme_file.load(changed(("title: On the side", "title: Beside")))

    assert Session.objects.get(key="side").title == {"en": "By somebody else"}


def test_import_refuses_a_room_that_another_conference_uses(db: None) -> None:
    programme_file.load(SMALL.encode())
    text = SMALL.replace("small-1", "small-2").replace("  edition: 1\n", "  edition: 2\n")

    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(text.encode())

    assert caught.value.problems == [Problem(0, "two sessions are in the same room at the same time")]


def test_import_refuses_a_time_that_does_not_exist(db: None) -> None:
    # Clocks in Vienna go from 02:00 to 03:00 that night.
    text = SMALL.replace("2030-07-15", "2030-03-31").replace("2030-07-16", "2030-04-01")
    data = text.replace('    start: "10:00"', '    start: "02:30"').encode()

    problems = problems_of(data)

    assert "02:30 does not exist on 2030-03-31" in problems[0].text


def test_import_refuses_another_status_of_a_country(db: None) -> None:
    Country.objects.create(iso2="AT", name={"en": "Austria"}, status=CountryStatus.OTHER)

    problems = problems_of(SMALL.encode())

    assert problems == [
        Problem(
            line_of("{name: Austria"),
            "osce_status: Austria is other in the country list of the house, not participating_state",
        )
    ]


def test_import_refuses_an_edition_that_another_conference_has(db: None) -> None:
    programme_file.load(SMALL.encode())

    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(SMALL.replace("small-1", "small-one").encode())

    assert [problem.text for problem in caught.value.problems] == [
        "conference small-one: the series has another conference with this edition number"
    ]


def test_import_keeps_a_pseudonym_even_when_a_file_says_otherwise(db: None) -> None:
    programme_file.load(SMALL.encode())
    data = changed(("pseudonym: true, note: A note that must go nowhere.", "pseudonym: false"))

    with pytest.raises(programme_file.InvalidFile):
        programme_file.load(data)

    assert Person.objects.get(key="alias-mira").is_pseudonym


def test_import_makes_nobody_a_pseudonym_who_stands_under_another_name(db: None) -> None:
    """The key, and what other pages of the admin hold about the person, were made for that name."""
    AffiliationFactory(person__key="alias-mira")

    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(SMALL.encode())

    (problem,) = caught.value.problems
    assert problem.text.startswith("pseudonym: “alias-mira” stands under another name")
    assert not Person.objects.get().is_pseudonym


# --- the command ----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    """The command's output and errors."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_programme", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], str]:
    """Puts a programme into a file."""

    def write(data: bytes) -> str:
        path = tmp_path / "programme.yaml"
        path.write_bytes(data)
        return str(path)

    return write


def test_command_prints_what_is_new_and_then_nothing(db: None, file: Callable[[bytes], str]) -> None:
    name = file(SMALL.encode())

    dry, _errors = run(name, "--dry-run")
    first, _errors = run(name)
    second, _errors = run(name)

    assert dry == first + "dry run: nothing was written\n"
    assert "new: 4 × session\n" in first
    assert second == "nothing changed\n"


def test_command_lists_problems_as_file_and_line(db: None, file: Callable[[bytes], str]) -> None:
    name = file(changed(("  theme: Small", "  teme: Small")))
    errors = io.StringIO()

    with pytest.raises(CommandError, match="nothing was written") as caught:
        call_command("import_programme", name, stderr=errors)

    assert caught.value.returncode == 1
    assert errors.getvalue() == f"{name}:{line_of('  theme')}: unknown key “teme”; did you mean “theme”?\n"


def test_command_says_that_a_file_is_not_there(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(str(tmp_path / "missing.yaml"))


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


# --- every kind of bad input, by the command ------------------------------------------------------------------------

EXPLODING = "\n".join(
    [
        "format: alliance-programme/1",
        "a0: &a0 [lol]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
    ]
).encode()

BAD: list[tuple[str, bytes, str]] = [
    ("unknown key", changed(("theme: Small things", "tehme: Small things")), "unknown key “tehme”; did you mean"),
    ("wrong type", changed(("edition: 1", "edition: first")), "edition: expected a whole number, found “first”"),
    ("unquoted time", changed(('start: "10:00"', "start: 11:30")), 'start: 11:30 without quotes is a number to many'),
    ("dangling id", changed(("person: cem,", "person: nobody,")), "“nobody” is neither in persons nor known"),
    ("day outside", changed(("2030-07-16, label", "2030-07-26, label")), "date: 2030-07-26 is outside the conference"),
    (
        "time outside", changed(('end: "11:00"', "end: 2030-07-19T10:00:00+02:00")),
        "end: 2030-07-19 10:00 is outside the conference, which is from 2030-07-15 to 2030-07-16",
    ),
    ("not UTF-8", SMALL.encode().replace(b"First small", b"F\xfcrst small"), "the byte 0xfc is not UTF-8"),
    ("50 MB", b"format: alliance-programme/1\n" + b"# " + b"x" * 50_000_000, "the file has 5,000,001 bytes; a"),
    ("exploding aliases", EXPLODING, "more than 200,000 values (after following aliases): this is no programme"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_bad_input_ends_with_exit_code_1_its_line_and_nothing_written(
    db: None, tmp_path: Path, data: bytes, message: str
) -> None:
    file = tmp_path / "programme.yaml"
    file.write_bytes(data)
    told = io.StringIO()
    started = time.thread_time()

    with pytest.raises(CommandError, match="nothing was written") as ended:
        call_command("import_programme", str(file), stderr=told)

    assert ended.value.returncode == 1
    assert time.thread_time() - started < 3
    assert re.search(rf"^{re.escape(str(file))}(:[0-9]+)?: {re.escape(message)}", told.getvalue(), re.MULTILINE)
    for model in (Conference, Organisation, Person, Country, Admission):
        assert not model._default_manager.exists()
