"""What may have left the house before something was taken down: found by ids, never by text, and what to do about each.

A trace is counted by the app that knows it. Its details hold counts, numbers and times, no names; the words stand here
and beside the counting, so that the list reads in the language of who works through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry
from events.models import Conference, Release, ReleasedRow, Session
from events.removals.subjects import Subject

MADE = "document.made"  # in the audit trail: an organiser made a document or a file


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that left. code: which words; since, until: the first and the last time."""

    code: str
    number: int
    since: datetime | None = None
    until: datetime | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As it is written down."""
        times = {"since": self.since, "until": self.until}
        return {"number": self.number, **{key: at.isoformat() for key, at in times.items() if at}, **self.details}


@dataclass(frozen=True, slots=True)
class Words:
    """what: what left. todo: what to do now."""

    what: str | Promise
    todo: str | Promise


Finder = Callable[[Subject, Conference | None, datetime], Iterable[Trace]]
_finders: list[Finder] = []
_words: dict[str, Words] = {}


def register(finder: Finder, words: dict[str, Words]) -> None:
    """Let an app count what it let out. finder(subject, conference, now) leaves out what is nothing."""
    if finder not in _finders:
        _finders.append(finder)
    _words.update(words)


def find(subject: Subject, conference: Conference | None, *, now: datetime) -> list[Trace]:
    """Everything that may have left, in the order of the apps."""
    return [trace for finder in _finders for trace in finder(subject, conference, now)]


def words(code: str) -> Words:
    """The words of a trace; the code itself where the app that knew it is gone."""
    return _words.get(code, Words(code, ""))


def releases_with(table: str, row_ids: Sequence[int]) -> list[Release]:
    """The releases that hold one of these rows, the oldest first."""
    held = ReleasedRow.objects.filter(table=table, row_id__in=row_ids).values("release")
    return list(Release.objects.filter(pk__in=held).order_by("made_at", "pk"))


def of_releases(releases: Sequence[Release]) -> Iterable[Trace]:
    """That something stood in the public programme."""
    if releases:
        numbers = [release.number for release in releases]
        yield Trace("releases", len(numbers), releases[0].made_at, releases[-1].made_at, {"releases": numbers})


def of_public(since: datetime | None, conference: Conference | None, now: datetime) -> Iterable[Trace]:
    """That it stood on pages, in feeds and in the API, and so may stand in copies; and documents made by organisers."""
    yield Trace("pages", 1, since)
    yield Trace("feeds", 1, since)
    if conference is not None:
        made = AuditEntry.objects.filter(action=MADE, about_id=conference.public_id).order_by("at")
        if since is not None:
            made = made.filter(at__gte=since)
        rows = list(made.values_list("at", "details"))
        if rows:
            kinds = sorted({str(details.get("kind", "")) for _at, details in rows})
            yield Trace("documents", len(rows), rows[0][0], rows[-1][0], {"kinds": kinds})


def _of_session(subject: Subject, conference: Conference | None, now: datetime) -> Iterable[Trace]:
    if subject.kind != "session":
        return
    row: Session = subject.row
    releases = releases_with(Session._meta.db_table, [row.pk])
    yield from of_releases(releases)
    yield from of_public(releases[0].made_at if releases else None, row.conference, now)
    if row.materials.filter(~Q(url="")).exists():
        yield Trace("materials", row.materials.exclude(url="").count())


def register_traces() -> None:
    """What the programme lets out."""
    register(
        _of_session,
        {
            "releases": Words(
                _("It stood in published programmes."),
                _("Nothing to do here: no release shows it any more. Tell those who printed it."),
            ),
            "pages": Words(
                _("It stood on public pages and in the API, where anybody could read and copy it."),
                _("Ask search engines and web archives to remove the addresses of these pages."),
            ),
            "feeds": Words(
                _("It stood in calendars and feeds that people subscribe to."),
                _("The entry is gone when a program reads the feed again. Ask apps of others to read it now."),
            ),
            "documents": Words(
                _("Organisers made documents or files of this conference."),
                _("Ask who has them to destroy them, and make new ones."),
            ),
            "materials": Words(
                _("Papers and recordings were linked. They lie elsewhere."),
                _("Take them off the sites where they lie, or ask who looks after these."),
            ),
        },
    )
