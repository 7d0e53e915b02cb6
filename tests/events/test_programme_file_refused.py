"""The programme file: what is refused and how that is told."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import connection

from events import programme_file
from events.models import Conference, Country, CountryStatus, Session
from events.programme_file import importing, yaml_text
from events.programme_file.problems import Problem
from speakers.models import Person
from tests.events.programme_files import SMALL, changed, line_of
from tests.factories import AffiliationFactory


def problems_of(data: bytes) -> list[Problem]:
    """What the import says is wrong; nothing may have been written."""
    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(data)
    assert not Conference.objects.exists()
    assert not Person.objects.exists()
    return caught.value.problems


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
    ("  start_date: 2030-07-15", "  start_date: 0203-07-15", None, "start_date: expected a date such as 2020-07-20"),
    ("  end_date: 2030-07-16", "  end_date: 9999-12-31", None, "end_date: expected a date such as 2020-07-20"),
    ('    start: "10:00"', "    start: 0001-01-01T00:00:00+02:00", None, "start: expected an instant with offset such"),
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
