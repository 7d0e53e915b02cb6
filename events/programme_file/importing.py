"""Loading a programme file into the database: all of it or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction
from django.utils import translation

from alliance import db
from events.programme_file import sections, yaml_text
from events.programme_file.changes import Changes, Difference
from events.programme_file.conference import frame
from events.programme_file.entries import Document
from events.programme_file.problems import InvalidFile, Problem, Problems

# Two imports at once would each see the other's half; any number will do as long as nothing else uses it.
LOCK = 7_362_001

_SERIALIZATION_FAILURE = "40001"
_REFUSALS = {
    "session_room_is_free": "two sessions are in the same room at the same time",
    "conference_edition_unique_in_series": "the series has another conference with this edition number",
    "person_pseudonym_has_no_other_name": "a pseudonym has no other name, spelling, post-nominals, biography or note",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, or would do in a dry run.

    lines: the report for a person, empty when the file and the database agree. differences and made: the same in
    parts. conference: the address of the conference that the file is about. rows: how many rows were looked at.
    """

    lines: list[str]
    differences: list[Difference] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    conference: str = ""
    rows: int = field(default=0, compare=False)

    @property
    def changed(self) -> bool:
        """Whether anything differed."""
        return bool(self.lines)

    @property
    def fingerprint(self) -> str:
        """The same for the same outcome: what was previewed is what is applied, or nothing is."""
        parts = [self.conference, *map(str, self.differences), *self.made]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class ChangedMeanwhile(Exception):
    """Applying the file would not do what was previewed: somebody changed the database. Nothing has been written.

    outcome: what it would do now; None where that is not known, because the other change is being written just now.
    """

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.outcome = outcome
        super().__init__("the database has changed")


def load(
    data: bytes, *, dry_run: bool = False, expected: str = "", step: Callable[[int], None] | None = None
) -> Outcome:
    """Make the database hold what a programme file says, in one transaction; rows that agree are not written.

    data: the file, UTF-8 YAML of format alliance-programme/1 or a workbook. dry_run: find the differences and write
    nothing. expected: the fingerprint of a dry run; raises ChangedMeanwhile where the outcome is another. step: told
    how many rows were looked at, after each; what it raises ends the import, and nothing is written.
    Raises InvalidFile with every problem found; then nothing has been written.
    """
    # The report is for organisers of every language and is compared with an earlier one: it has one language.
    with translation.override("en"):
        return _load(data, Changes(step), dry_run=dry_run, expected=expected)


def _load(data: bytes, changes: Changes, *, dry_run: bool, expected: str) -> Outcome:
    problems = Problems()
    parsed = _parse(data, problems)
    is_outermost = not connection.in_atomic_block
    try:
        with transaction.atomic():
            if is_outermost:  # what somebody else writes meanwhile is never overwritten unseen
                _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _alone()
            # Within the transaction, because a workbook leaves to the database what it does not cover.
            document = Document(parsed(), problems)
            writes = [section.loader(document) for section in sections.in_order()]
            document.finish()
            # Numbers, days and rooms may be swapped: only the end result has to be right.
            _execute("SET CONSTRAINTS ALL DEFERRED")
            for write in writes:
                write(changes)
            changes.finish()
            changes.at = (0, "")
            _execute("SET CONSTRAINTS ALL IMMEDIATE")
            outcome = Outcome(changes.report(), changes.differences, changes.made, frame(document).key, changes.rows)
            if expected and outcome.fingerprint != expected:
                raise ChangedMeanwhile(outcome)
            if dry_run:
                transaction.set_rollback(True)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _SERIALIZATION_FAILURE:
            raise
        raise ChangedMeanwhile from error
    except (IntegrityError, DataError) as error:
        raise _refused(error, changes) from error
    return outcome


def _parse(data: bytes, problems: Problems) -> Callable[[], yaml_text.Mapping]:
    """The document of a file of either kind, once the database may be asked; a workbook is a zip file."""
    if not data.startswith(b"PK"):
        root = yaml_text.parse(data)
        return lambda: root
    from events.programme_file import workbook  # a large library that few processes need

    rows = workbook.read(data, problems)
    return lambda: workbook.document(rows, problems)


def _alone() -> None:
    """Refuse to run beside another import. The lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise InvalidFile([Problem(0, "another import is running: try again when it has ended")])


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _refused(error: DatabaseError, changes: Changes) -> InvalidFile:
    """The database's own rules had the last word: say which one, and about which row where that is known."""
    name = db.constraint_name(error) if isinstance(error, IntegrityError) else ""
    line, label = changes.at
    reason = _REFUSALS.get(name, f"the database refuses it (rule {name})")
    return InvalidFile([Problem(line, f"{label}: {reason}" if label else reason)])
