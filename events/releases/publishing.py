"""Publishing a programme, and going back to an earlier release."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from accounts.models import User
from alliance.exceptions import DomainError
from alliance.languages import Translations
from events import programme_checks
from events.models import Conference, ConferenceState, Release, ReleasedRow
from events.releases import changes, restoring, schema, tables
from events.releases.changes import Change, Row, Rows
from events.releases.reading import reading_draft
from events.releases.tables import ProgrammeTable

Hook = Callable[[Release], None]

_ROWS = ReleasedRow._meta.db_table
_ATTEMPTS, _PAUSE = 40, 0.05  # seconds
_hooks: list[Hook] = []


class HasErrors(DomainError):
    """The checks found errors. Warnings never block."""

    message = _("The checks found errors. Mend them first, then publish.")


class NothingChanged(DomainError):
    """The draft is what the public sees already."""

    message = _("Nothing has changed since the last release.")


class DraftChanged(DomainError):
    """The draft is not what the organiser saw: somebody's work of a minute ago would be lost, or published, unseen."""

    code = "draft_changed"
    message = _(
        "Somebody else has changed these sessions meanwhile. Nothing was changed now; look again and repeat it."
    )


def on_published(hook: Hook) -> None:
    """Let an app act in the transaction that publishes, such as queuing mails. To be called in AppConfig.ready."""
    if hook not in _hooks:
        _hooks.append(hook)


def draft_stamp(conference: Conference) -> str:
    """Says what the draft is, for publish() and restore()."""
    return hashlib.sha256(json.dumps(_draft(conference).everything, sort_keys=True).encode()).hexdigest()[:32]


def publish(
    conference: Conference,
    *,
    by: User | None,
    now: datetime,
    note: Translations | None = None,
    check: bool = True,
    seen: str | None = None,
) -> Release:
    """Make the draft what the public sees: the next release, with the list of what has changed since the last.

    A conference that was a draft is published with it. check: refuse when the checks find errors. seen: draft_stamp()
    of what the organiser looked at. Raises HasErrors, NothingChanged, DraftChanged.
    """
    with reading_draft(), transaction.atomic():
        _hold_still()
        conference = Conference.objects.select_for_update(no_key=True).get(pk=conference.pk)
        if seen is not None and draft_stamp(conference) != seen:
            raise DraftChanged
        if check and programme_checks.errors(conference):
            raise HasErrors
        if conference.state == ConferenceState.DRAFT:
            conference.state = ConferenceState.PUBLISHED
            conference.save(update_fields=["state", "updated_at"])
        last = conference.releases.newest_first().first()
        release = Release.objects.create(
            conference=conference,
            number=last.number + 1 if last else 1,
            made_at=now,
            made_by=by,
            note=note or Translations(),
        )
        _keep(release)
        if last is not None:
            old, new = Rows.kept(last), Rows.kept(release)
            if not changes.differ(old, new):
                raise NothingChanged
            release.changes = changes.between(old, new)
            release.save(update_fields=["changes"])
        schema.freeze(conference.pk)
        for hook in _hooks:
            hook(release)
    return release


class CorrectedMeanwhile(DomainError):
    """The note or the lines are not what the organiser saw: other lines would be taken out."""

    code = "release_corrected_meanwhile"
    message = _("Somebody else has changed this text since you opened it. Nothing was saved.")


def correction_stamp(release: Release) -> str:
    """Says what note and lines of a release are, for correct()."""
    said = json.dumps([release.note, release.changes], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def correct(release: Release, *, note: Translations, without: Collection[int] = (), seen: str) -> None:
    """Word the note of a release anew, and take lines out of its list of changes for good.

    For a name that was typed into a title by mistake: the list keeps what a title was. without: indexes of changes.
    seen: correction_stamp() of what was shown. Raises CorrectedMeanwhile.
    """
    with transaction.atomic():
        release = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        if correction_stamp(release) != seen:
            raise CorrectedMeanwhile
        release.note = note
        release.changes = [change for index, change in enumerate(release.changes) if index not in without]
        release.save(update_fields=["note", "changes"])


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two states of a programme. Not everything that differs stands in the list of changes."""

    changes: list[Change]
    has_any: bool


def unpublished_changes(conference: Conference) -> Difference | None:
    """What publishing would change now; None when the conference has no release. Writes nothing."""
    last = conference.releases.newest_first().first()
    return _difference(Rows.kept(last), _draft(conference)) if last else None


def changes_by_restoring(release: Release) -> Difference:
    """What going back to a release would change in the draft. Writes nothing."""
    return _difference(_draft(release.conference), Rows.kept(release))


def _difference(old: Rows, new: Rows) -> Difference:
    with reading_draft():  # who is a pseudonym is looked up
        return Difference(changes.between(old, new), changes.differ(old, new))


def restore(release: Release, *, seen: str | None = None) -> None:
    """Make the draft what it was in a release. The public sees it when it is published again, as a new release.

    Sessions made since then become drafts, because people may have registered for them, and keep what they are made of;
    other rows made since are deleted. Columns that only organisers read stay as they are, and what was closed since
    stays closed. What has been deleted for good since (a person, a room) does not come back.
    seen: draft_stamp() of what the organiser looked at. Raises restoring.CannotGoBack and DraftChanged.
    """
    with reading_draft(), transaction.atomic():
        _hold_still()
        if seen is not None and draft_stamp(release.conference) != seen:
            raise DraftChanged
        restoring.go_back(release)


def _hold_still() -> None:
    """Let nobody change the programme until the end of the transaction: what is frozen must fit together.

    Readers go on, and so do registrations, whose foreign keys only lock rows.
    """
    names = ", ".join(table.name for table in tables.all_tables())
    lock = f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"
    # All tables or none: holding some while waiting for others is a deadlock with who writes them in another order.
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"{lock} NOWAIT")
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            time.sleep(_PAUSE)
        else:
            return
    with connection.cursor() as cursor:
        cursor.execute(lock)  # somebody has been writing for long: wait in line, or fail by the lock timeout


def _selected(table: ProgrammeTable) -> tuple[str, list[str]]:
    """SQL: id and JSON of the rows of the draft, and its first value; the second is the conference."""
    source, conference = schema.rows_of(table)
    left_out = [str(found.column) for found in table.fields if found.name in table.left_out]
    return f"t.id, to_jsonb(t) - %s::text[] {source} WHERE {conference} = %s", left_out


def _draft(conference: Conference) -> Rows:
    """The rows of the draft as they are now, as a release would keep them."""
    rows: list[tuple[str, int, Row]] = []
    with reading_draft(), connection.cursor() as cursor:
        for table in tables.all_tables():
            selected, left_out = _selected(table)
            cursor.execute(f"SELECT {selected}", [left_out, conference.pk])
            rows += [(table.name, key, json.loads(data)) for key, data in cursor.fetchall()]
    return Rows(rows)


def _keep(release: Release) -> None:
    """Write down the rows of the draft as they are now."""
    with connection.cursor() as cursor:
        for table in tables.all_tables():
            selected, left_out = _selected(table)
            cursor.execute(
                f"INSERT INTO {_ROWS} (release_id, \"table\", row_id, data) SELECT %s, '{table.name}', {selected}",
                [release.pk, left_out, release.conference_id],
            )
