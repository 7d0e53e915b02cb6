"""The list of changes of a release, in words for a reader: only what they may see, names as they are today."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import dates
from alliance.languages import Translations, translations
from events.models import Conference, Release, ReleasedRow, Room, Session, Venue, Visibility
from events.releases.changes import Change

Names = Callable[[Iterable[int]], Mapping[int, str]]
_names: list[Names] = []


def register_names(names: Names) -> None:
    """Tell how persons are called. names(ids) leaves out everybody whose name must not stand in a list of changes."""
    if names not in _names:
        _names.append(names)


Seats = Callable[[Conference, Iterable[int]], Mapping[int, Translations | None]]
_seats: list[Seats] = []


def register_seats(seats: Seats) -> None:
    """Tell what stands at a seat today. seats(conference, ids of contributions) gives None for who must not be named,
    and nothing for a seat that is no more."""
    if seats not in _seats:
        _seats.append(seats)


@dataclass(slots=True)
class Group:
    """What has changed about one session, or about the conference itself when session and title are empty.

    session: the session where there is a page for it. lines: sentences in the active language.
    """

    session: Session | None
    title: Translations
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ChangeList:
    """A release and what it changed."""

    release: Release
    groups: list[Group]


_SENTENCES: dict[str, str | Promise] = {
    "conference_cancelled": gettext_lazy("The conference does not take place."),
    "conference_format": gettext_lazy("The way of taking part has changed."),
    "conference_theme": gettext_lazy("The theme has changed."),
    "conference_text": gettext_lazy("Description or languages have changed."),
    "session_new": gettext_lazy("New in the programme."),
    "session_withdrawn": gettext_lazy("No longer in the programme."),
    "session_cancelled": gettext_lazy("Cancelled."),
    "session_reinstated": gettext_lazy("Takes place after all."),
    "session_reordered": gettext_lazy("Stands at another place in its day."),
    "session_renumbered": gettext_lazy("Kind or number has changed."),
    "session_registration": gettext_lazy("Registration or audience has changed."),
    "session_languages": gettext_lazy("Languages have changed."),
    "session_text": gettext_lazy("The description has changed."),
    "session_convenors": gettext_lazy("The convenors have changed."),
    "session_outline": gettext_lazy("The outline has changed."),
    "session_papers": gettext_lazy("Papers or recordings have changed."),
    "session_results": gettext_lazy("Results have changed."),
    "speakers_changed": gettext_lazy("The speakers have changed."),
}
_SPEAKER_KINDS = {"speaker_new", "speaker_gone", "speaker_replaced", "speaker_reworded", "speaker_confirmed"}


def change_lists(conference: Conference, releases: Sequence[Release]) -> list[ChangeList]:
    """The lists of some releases, in their order: 10 queries at most, whatever their size.

    Of sessions that strangers may not see nothing is said, whatever they were when the release was made. Call it while
    reading what is published.
    """
    words = _Words(conference, [change for release in releases for change in release.changes])
    return [ChangeList(release, words.groups(release.changes)) for release in releases]


def lines(conference: Conference, changes: Sequence[Change], *, known: Collection[int] = ()) -> list[Group]:
    """A list of changes that is not that of a release, such as those not published yet.

    known: ids of the sessions the reader is registered for, who is told of them whoever else may see them.
    """
    return _Words(conference, changes, known).groups(changes)


def one_by_one(conference: Conference, changes: Sequence[Change]) -> list[Group | None]:
    """Each change by itself, in the order given; None for one that nothing is said of any more."""
    words = _Words(conference, changes)
    return [next(iter(words.groups([change])), None) for change in changes]


class _Words:
    """Everything that the sentences name, read once."""

    def __init__(self, conference: Conference, changes: Sequence[Change], known: Collection[int] = ()) -> None:
        self.conference = conference
        self.known = known
        self.shown = {session.pk: session for session in conference.sessions.public()}
        self.shown |= conference.sessions.in_bulk(set(known) - set(self.shown)) if known else {}
        for session in self.shown.values():
            session.conference = conference
        self.hidden = self._hidden(change["session"] for change in changes if change["kind"] == "session_withdrawn")
        values = [value for change in changes for value in (change.get("before"), change.get("after"), change)]
        people = {value["person"] for value in values if isinstance(value, dict) and value.get("person")}
        self.people: dict[int, str] = {}
        for names in _names if people else ():
            self.people |= names(people)
        seats = {value["contribution"] for value in values if isinstance(value, dict) and value.get("contribution")}
        self.seats: dict[int, Translations | None] = {}
        for at in _seats if seats else ():
            self.seats |= at(conference, seats)
        rooms = {value for change in changes if change["kind"] == "session_room" for value in _both(change) if value}
        self.rooms = {room.pk: room.name for room in Room.objects.filter(pk__in=rooms)} if rooms else {}
        venues = {value for change in changes if change["kind"] == "conference_venue" for value in _both(change)}
        self.venues = {venue.pk: venue for venue in Venue.objects.filter(pk__in=venues - {None})} if venues else {}

    def _hidden(self, withdrawn: Iterable[int]) -> set[int]:
        """Withdrawn sessions are named by the title they had; not those hidden since, or hidden when deleted."""
        ids = set(withdrawn) - set(self.shown)
        if not ids:
            return set()
        closed = [Visibility.INVITATION, Visibility.INTERNAL]
        present = dict(Session.objects.filter(pk__in=ids).values_list("pk", "visibility"))
        kept = ReleasedRow.objects.filter(
            release__conference=self.conference, table=Session._meta.db_table, row_id__in=ids - set(present)
        ).filter(data__visibility__in=closed)
        return {key for key, visibility in present.items() if visibility in closed} | {row.row_id for row in kept}

    def groups(self, changes: Sequence[Change]) -> list[Group]:
        """Sentences by session, in the order of the changes."""
        found: dict[int, Group] = {}
        unnamed = {
            change["session"] for change in changes if change["kind"] in _SPEAKER_KINDS and not self._may_name(change)
        }
        for change in changes:
            key = change.get("session", 0)
            if change.get("quiet") and key not in self.known:
                continue
            if key and key not in self.shown and (change["kind"] != "session_withdrawn" or key in self.hidden):
                continue
            if change["kind"] in _SPEAKER_KINDS and key in unnamed:
                change = {**change, "kind": "speakers_changed"}
            session = self.shown.get(key)
            title = session.title if session else translations(change.get("title"))
            group = found.setdefault(key, Group(session, title))
            line = self._sentence(change)
            if line not in group.lines:
                group.lines.append(line)
        return list(found.values())

    def _may_name(self, change: Change) -> bool:
        sides = [change["before"], change["after"]] if change["kind"] == "speaker_replaced" else [change]
        return all(
            (not side.get("person") or side["person"] in self.people)
            and self.seats.get(side.get("contribution", 0), Translations()) is not None
            for side in sides
        )

    def _sentence(self, change: Change) -> str:
        kind = change["kind"]
        if kind in _SENTENCES:
            return str(_SENTENCES[kind])
        describe: Callable[[Change], str] = getattr(self, f"_{kind}")
        return describe(change)

    def _conference_moved(self, change: Change) -> str:
        before, after = (
            dates.span(*(date.fromisoformat(day) if day else None for day in side)) for side in _both(change)
        )
        return _from_to(_("Date"), before, after)

    def _conference_renamed(self, change: Change) -> str:
        return _renamed(change)

    def _conference_venue(self, change: Change) -> str:
        before, after = (self.venues.get(side) for side in _both(change))
        return _from_to(_("Venue"), *(str(venue.name or venue.city) if venue else "" for venue in (before, after)))

    def _session_moved(self, change: Change) -> str:
        return _from_to(_("Time"), *(self._time(side) for side in _both(change)))

    def _session_renamed(self, change: Change) -> str:
        return _renamed(change)

    def _session_room(self, change: Change) -> str:
        return _from_to(_("Room"), *(str(self.rooms.get(side, "")) for side in _both(change)))

    def _session_platform(self, change: Change) -> str:
        before, after = _both(change)
        return _from_to(_("Platform"), before, after) if before != after else _("The way of taking part has changed.")

    def _speaker_new(self, change: Change) -> str:
        return _("New speaker: %(name)s") % {"name": self._who(change)}

    def _speaker_gone(self, change: Change) -> str:
        return _("No longer speaks: %(name)s") % {"name": self._who(change)}

    def _speaker_replaced(self, change: Change) -> str:
        before, after = (self._who(side) for side in _both(change))
        return _("%(new)s speaks instead of %(old)s") % {"new": after, "old": before}

    def _speaker_reworded(self, change: Change) -> str:
        return _("Title or role corrected: %(name)s") % {"name": self._who(change)}

    def _speaker_confirmed(self, change: Change) -> str:
        return _("Confirmed: %(name)s") % {"name": self._who(change)}

    def _who(self, side: Change) -> str:
        if person := side.get("person"):
            return self.people[person]
        return str(self.seats.get(side.get("contribution", 0)) or translations(side.get("label")))

    def _time(self, side: Mapping[str, Any]) -> str:
        """A time on the venue's clock."""
        return time_of(side, self.conference)


def time_of(side: Mapping[str, Any], conference: Conference) -> str:
    """When a session was or is, as a change of its time says it, on the venue's clock."""
    if side["starts_at"] and side["ends_at"]:
        start, end = (
            datetime.fromisoformat(side[name]).astimezone(conference.zone) for name in ("starts_at", "ends_at")
        )
        return f"{dates.day(start.date())}, {dates.clock(start)}–{dates.clock(end)}"
    return dates.day(date.fromisoformat(side["date"])) if side["date"] else ""


def _both(change: Change) -> tuple[Any, Any]:
    return change["before"], change["after"]


def _renamed(change: Change) -> str:
    before, after = (str(translations(side)) for side in _both(change))
    return _from_to(_("Title"), before, after) if before != after else _("The title has changed in another language.")


def _from_to(what: str, before: str, after: str) -> str:
    """A change of one thing: what it was and what it is; one of them may be unknown."""
    values = {"what": what, "before": before, "after": after}
    if before and after:
        # Translators: what has changed, such as "Room: Neuer Saal → Ratsaal"
        return _("%(what)s: %(before)s → %(after)s") % values
    if after:
        return _("%(what)s: now %(after)s") % values
    return _("%(what)s: open again") % values
