"""Writing a conference as a programme file: what is read back is the same, field by field and byte by byte."""

from __future__ import annotations

import datetime as dt
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import programme_file
from events.models import (
    Conference,
    Material,
    Segment,
    SegmentKind,
    SegmentVisibility,
    Session,
    SessionState,
)
from events.programme_file import yaml_output, yaml_text
from registration.models import Admission
from speakers.models import Affiliation, Contribution, Person
from tests.events import programme_state
from tests.events.programme_files import SMALL
from tests.events.programmes_of_all_kinds import (
    OTHER_EDITION,
    OWN,
    PARALLEL,
    SHARED,
    WITHOUT_SESSIONS,
    make_everything,
)


def assert_round_trip(slug: str) -> bytes:
    """Export; import over the data, which changes nothing; import into an emptied database, which gives the same."""
    conference = Conference.objects.get(slug=slug)
    before = programme_state.state()

    exported = programme_file.export(conference)

    assert programme_file.load(exported).lines == []
    assert programme_state.state() == before
    programme_state.empty()
    programme_file.load(exported)
    after = programme_state.state()
    for name, rows in before.items():
        for old, new in zip(rows, after[name], strict=True):
            assert {field: (value, new[field]) for field, value in old.items() if new[field] != value} == {}, (
                name,
                old,
            )
    assert programme_file.export(Conference.objects.get(slug=slug)) == exported
    return exported


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
def test_the_programme_of_2020_survives_a_round_trip(db: None) -> None:
    programme_file.load(SHARED.read_bytes())

    assert_round_trip("alliance-20")


def test_the_conference_of_the_demo_survives_a_round_trip(db: None) -> None:
    programme_file.load(OWN.read_bytes())

    assert_round_trip("alliance-20")


def test_the_small_programme_survives_a_round_trip(db: None) -> None:
    programme_file.load(SMALL.encode())

    assert_round_trip("small-1")


@pytest.mark.parametrize(
    ("data", "slug"), [(OTHER_EDITION, "small-2"), (WITHOUT_SESSIONS, "later"), (PARALLEL, "small-1")]
)
def test_other_programmes_survive_a_round_trip(db: None, data: bytes, slug: str) -> None:
    programme_file.load(data)

    assert_round_trip(slug)


# --- what the original format cannot say ----------------------------------------------------------------------------


def test_what_only_the_admin_could_say_survives_a_round_trip(db: None) -> None:
    make_everything()

    assert_round_trip("small-1")


# Who has a place is no part of a programme; nor which list a figure was counted from, which only its next count asks.
NOT_SAID = {"Places": ["taken", "waiting"], "Figure": ["imported_as"]}


def test_no_field_of_the_programme_is_forgotten(db: None) -> None:
    """A field that is added to a model must be said by the file, and be filled in by make_everything()."""
    make_everything()
    said: dict[str, set[str]] = {}
    for name, rows in programme_state.state().items():
        for row in rows:
            said.setdefault(name, set()).update(field for field, value in row.items() if value)

    forgotten = {
        model.__name__: sorted(
            {field.name for field in model._meta.get_fields() if field.concrete}
            - programme_state.OWN_TO_THE_ROW
            - said.get(model.__name__, set())
        )
        for model in programme_state.MODELS
    }

    assert {name: fields for name, fields in forgotten.items() if fields} == NOT_SAID


def test_a_form_without_an_admission_survives_a_round_trip(db: None) -> None:
    programme_file.load(SMALL.encode())
    Admission.objects.all().delete()

    assert_round_trip("small-1")


def test_an_old_export_brings_back_what_has_changed(db: None) -> None:
    programme_file.load(SMALL.encode())
    before = programme_state.state()
    exported = programme_file.export(Conference.objects.get())
    Conference.objects.update(state="draft", description={"en": "Later"}, theme={"en": "Later"})
    Session.objects.filter(key="side").update(state=SessionState.CANCELLED, slug="later", room=None)
    Segment.objects.filter(key="welcoming_remarks").update(kind=SegmentKind.OTHER)
    Admission.objects.update(is_closed=True, closes_at=dt.datetime(2030, 7, 1, tzinfo=dt.UTC))
    Material.objects.create(conference=Conference.objects.get(), session=Session.objects.get(key="side"), kind="video",
                            url="https://video.example", title={"en": "Later"})  # fmt: skip

    programme_file.load(exported)

    assert programme_state.state() == before


def test_an_old_export_shows_nothing_that_was_hidden_meanwhile(db: None) -> None:
    programme_file.load(SMALL.encode())
    exported = programme_file.export(Conference.objects.get())
    Segment.objects.update(visibility=SegmentVisibility.NEVER)
    Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    Person.objects.filter(key="ada").update(is_hidden=True)

    programme_file.load(exported)

    assert set(Segment.objects.values_list("visibility", flat=True)) == {SegmentVisibility.NEVER}
    assert set(Contribution.objects.values_list("visibility", flat=True)) == {SegmentVisibility.NEVER}
    assert Person.objects.get(key="ada").is_hidden


def test_windows_line_ends_and_controls_of_word_processors_do_not_stop_a_round_trip(db: None) -> None:
    programme_file.load(SMALL.encode())
    Session.objects.filter(key="side").update(internal_note="One\r\nTwo\x0bThree\x02 ")

    exported = programme_file.export(Conference.objects.get())

    assert programme_file.load(exported).lines == []
    programme_state.empty()
    programme_file.load(exported)
    assert Session.objects.get(key="side").internal_note == "One\nTwo\nThree"


# --- pseudonyms -----------------------------------------------------------------------------------------------------


def test_beside_a_pseudonym_stands_no_other_name_and_no_note(db: None) -> None:
    programme_file.load(SMALL.encode())
    mira = Person.objects.get(key="alias-mira")
    # As if these had been written before the name became a pseudonym, around every form.
    Contribution.objects.filter(person=mira).update(name_printed="Realname Traceable", internal_note="Noted trace")
    Affiliation.objects.create(person=mira, role_title={"en": "Traceable title"})

    text = programme_file.export(Conference.objects.get()).decode()

    assert "{id: alias-mira, given_name: Mira, pseudonym: true}" in text
    assert "trace" not in text.lower()


# --- the text -------------------------------------------------------------------------------------------------------


def test_texts_in_quotes_are_those_that_some_reader_would_take_for_something_else() -> None:
    texts = [
        "NO",
        "11:30",
        "007",
        "1.5",
        "null",
        "true",
        "2020-07-20",
        "a: b",
        "- a",
        "#a",
        "a #b",
        "@a",
        "x",
        "a:b",
        "«a»",
        "",
    ]

    lines = yaml_output.document({"list": texts}).decode().split("\n")

    assert lines == [
        "list:", "  - 'NO'", "  - '11:30'", "  - '007'", "  - '1.5'", "  - 'null'", "  - 'true'", "  - '2020-07-20'",
        "  - 'a: b'", "  - '- a'", "  - '#a'", "  - 'a #b'", "  - '@a'", "  - x", "  - a:b", "  - '«a»'", "  - ''", "",
    ]  # fmt: skip


def plain(node: yaml_text.Node) -> Any:
    """What was read, as plain data."""
    if isinstance(node, yaml_text.Mapping):
        return {key: plain(part) for key, part in node.items.items()}
    if isinstance(node, yaml_text.Sequence):
        return [plain(part) for part in node.items]
    if node.kind is yaml_text.Kind.NULL:
        return None
    if node.kind is yaml_text.Kind.INTEGER:
        return int(node.text)
    if node.kind is yaml_text.Kind.BOOLEAN:
        return node.text == "true"
    assert node.kind is yaml_text.Kind.TEXT, node
    return node.text


PIECES = [
    "a", "Б", "word", " ", " ", "\n", "\n\n", ": ", " #", "- ", "'", '"', "\\", "{", "}", "[", "]", ",", "&", "*", "!",
    "|",    ">", "%", "@", "`", "?", "=", "\t", "\u00a0", "\u2028", "\ufeff", "\U0001f600", "0",
    "12", "no", "null", "...", "---",
    "https://a.example/b?c=d#e", "x" * 90, "один два три " * 12,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_any_text_is_read_back_as_it_was(seed: int) -> None:
    chosen = random.Random(seed)

    def text() -> str:
        return "".join(chosen.choices(PIECES, k=chosen.randint(0, 12))).strip()

    def value(depth: int) -> Any:
        kind = chosen.randint(0, 9)
        if depth < 4 and kind < 3:
            return [value(depth + 1) for _ in range(chosen.randint(0, 4))]
        if depth < 4 and kind < 6:
            return {text(): value(depth + 1) for _ in range(chosen.randint(0, 5))}
        return text() if kind < 9 else chosen.choice([None, True, False, 0, 12, -5])

    data = {f"key{number}": value(0) for number in range(20)}

    written = yaml_output.document(data)

    assert plain(yaml_text.parse(written)) == data


# --- the command ----------------------------------------------------------------------------------------------------


def test_command_writes_the_file_where_it_is_told_to(db: None, tmp_path: Path) -> None:
    programme_file.load(SMALL.encode())
    out = StringIO()

    call_command("export_programme", "small-1", stdout=out)
    call_command("export_programme", "small-1", output=str(tmp_path / "out.yaml"))

    exported = programme_file.export(Conference.objects.get())
    assert out.getvalue().encode() == exported
    assert (tmp_path / "out.yaml").read_bytes() == exported


def test_command_says_what_is_not_there(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no conference “nowhere”"):
        call_command("export_programme", "nowhere")
    programme_file.load(SMALL.encode())
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_programme", "small-1", output=str(tmp_path / "nowhere" / "x"))


@pytest.mark.parametrize("copies", [1, 5])
def test_export_asks_a_fixed_number_of_questions(db: None, copies: int) -> None:
    programme_file.load(SMALL.encode())
    conference = Conference.objects.get()
    for number in range(copies):
        session = Session.objects.create(
            conference=conference, key=f"more-{number}", slug=f"more-{number}", title={"en": "More"}
        )
        Segment.objects.create(session=session, key="panel", position=1)
        Contribution.objects.create(session=session, person=Person.objects.get(key="ada"), position=1)

    with CaptureQueriesContext(connection) as queries:
        programme_file.export(conference)

    assert len(queries) == 23
