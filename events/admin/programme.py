"""The programme page: all days of a conference with their sessions and side events in order, to be put in order.

Every change works by plain buttons; with JavaScript rows are dragged as well (static/js/admin-programme.js).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin import refuse
from alliance.admin.history import write_history
from alliance.exceptions import DomainError
from events import editing, programme_checks, undoing
from events.admin import bulk, pages
from events.models import Conference, ConferenceDay, Session

# Says for each session, by its key, what another app knows of it: moderators and speakers, for example.
NoteSource = Callable[[Conference], dict[int, list[str]]]

_note_sources: list[NoteSource] = []


def add_notes(source: NoteSource) -> None:
    """Let an app say something about each session, in a constant number of queries."""
    if source not in _note_sources:
        _note_sources.append(source)


@dataclass(frozen=True, slots=True)
class Row:
    """A session of the page."""

    session: Session
    when: str
    url: str
    notes: list[str]
    findings: list[programme_checks.Finding]
    is_first: bool
    is_last: bool

    @property
    def has_error(self) -> bool:
        """Whether something contradicts itself."""
        return any(finding.severity == programme_checks.Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Day:
    """A day with its rows; the last one without a row of its own holds what has no day."""

    day: ConferenceDay | None
    rows: list[Row] = field(default_factory=list)
    add_urls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def key(self) -> int:
        """The day in forms; 0 for no day."""
        return self.day.pk if self.day is not None else 0


def programme(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Show the programme, or change it."""
    if request.method == "POST":
        if not request.user.has_perm("events.change_session", conference):
            refuse(request, "programme")
        return _change(request, conference)
    sessions = list(Session.objects.filter(conference=conference).select_related("day", "room").in_programme_order())
    days = list(conference.days.order_by("number"))
    context = pages.context(request, conference, "programme", _("Programme")) | {
        "days": _days(conference, days, sessions),
        "day_choices": days,
        "stamp": editing.order_stamp(sessions),
        "may_change": request.user.has_perm("events.change_session", conference),
        "may_add": request.user.has_perm("events.add_session", conference),
        "actions": [(one.__name__, one.short_description) for one in bulk.ACTIONS],  # type: ignore[attr-defined]
        "count": len(sessions),
    }
    return TemplateResponse(request, "admin/events/programme.html", context)


def _days(conference: Conference, days: list[ConferenceDay], sessions: list[Session]) -> list[Day]:
    findings: dict[str, list[programme_checks.Finding]] = {}
    for finding in programme_checks.run(conference):
        if finding.row.kind in ("session", "sideevent"):
            findings.setdefault(finding.row.key, []).append(finding)
    notes: dict[int, list[str]] = {}
    for source in _note_sources:
        for key, texts in source(conference).items():
            notes.setdefault(key, []).extend(texts)
    found = []
    for day in [*days, None]:
        own = [session for session in sessions if session.day_id == (day and day.pk)]
        rows = [
            Row(
                session=session,
                when=_when(conference, session),
                url=_form_of(session),
                notes=notes.get(session.pk, []),
                findings=findings.get(session.key, []),
                is_first=place == 0,
                is_last=place == len(own) - 1,
            )
            for place, session in enumerate(own)
        ]
        if rows or day is not None or not days:
            found.append(Day(day, rows, _add_urls(conference, day, own)))
    return found


def _when(conference: Conference, session: Session) -> str:
    if session.starts_at is None or session.ends_at is None:
        return ""
    zone = conference.zone
    return f"{session.starts_at.astimezone(zone):%H:%M}–{session.ends_at.astimezone(zone):%H:%M}"


def _form_of(session: Session) -> str:
    return reverse(f"admin:events_{'sideevent' if session.is_side_event else 'session'}_change", args=[session.pk])


def _add_urls(conference: Conference, day: ConferenceDay | None, sessions: list[Session]) -> list[tuple[str, str]]:
    position = max((session.position for session in sessions), default=0) + 1
    given = {"conference": conference.pk, "position": position} | ({"day": day.pk} if day is not None else {})
    return [
        (label, f"{reverse(f'admin:events_{model}_add')}?{urlencode(given)}")
        for model, label in (("session", _("Add a session")), ("sideevent", _("Add a side event")))
    ]


# --- changes --------------------------------------------------------------------------------------------------------


def _change(request: HttpRequest, conference: Conference) -> HttpResponse:
    sent, here = request.POST, pages.url("programme", conference)
    own = Session.objects.filter(conference=conference)
    if "go" in sent or "index" in sent:  # the bar above the days, or the page in between
        action: Any = {one.__name__: one for one in bulk.ACTIONS}.get(sent.get("action", ""))
        chosen = own.filter(pk__in=[key for key in sent.getlist("_selected_action") if _is_key(key)])
        if action is None or not chosen:
            messages.warning(request, _("Choose sessions and what to do with them."))
            return HttpResponseRedirect(here)
        answer: HttpResponse | None = action(None, request, chosen)
        return answer or HttpResponseRedirect(here)
    for what in ("up", "down", "to_day", "duplicate"):
        key = sent.get(what, "")
        if _is_key(key) and own.filter(pk=key).exists():
            shown = _move_one(request, conference, int(key), what)
            return HttpResponseRedirect(f"{here}#session-{shown}")
    if (order := _order(sent.get("order", ""))) is not None:
        _tell(
            request,
            conference,
            lambda: editing.arrange(conference_id=conference.pk, seen=sent.get("order_stamp", ""), order=order),
            _("The new order is saved."),
        )
        moved = sent.get("moved", "")
        return HttpResponseRedirect(f"{here}#session-{moved}" if _is_key(moved) else here)
    return HttpResponseRedirect(here)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _move_one(request: HttpRequest, conference: Conference, session_id: int, what: str) -> int:
    """Do what a button of a row says; returns the session to look at afterwards."""
    seen = request.POST.get("order_stamp", "")
    if what == "duplicate":
        if not request.user.has_perm("events.add_session", conference):
            refuse(request, "duplicate")
        try:
            with transaction.atomic():
                new = editing.duplicate(session_id=session_id)
                write_history(request, [new], ADDITION, f"duplicate of #{session_id}")
        except DomainError as error:
            messages.error(request, str(error.message))
            return session_id
        messages.success(request, _("The session was duplicated as a draft. Give it a title and a time."))
        return new.pk
    if what == "to_day":
        day = request.POST.get(f"day-{session_id}", "")
        day_id = int(day) or None if _is_key(day) else None
        _tell(
            request,
            conference,
            lambda: editing.to_day(session_id=session_id, day_id=day_id, seen=seen),
            _("The session was moved to the other day."),
        )
    else:
        by = -1 if what == "up" else 1
        _tell(
            request,
            conference,
            lambda: editing.step(session_id=session_id, by=by, seen=seen),
            _("The new order is saved."),
        )
    return session_id


def _tell(request: HttpRequest, conference: Conference, change: Callable[[], Iterable[Session]], done: str) -> None:
    try:
        with transaction.atomic():
            before = undoing.snapshot(Session.objects.filter(conference=conference).values_list("pk", flat=True))
            changed = list(change())
            write_history(request, changed, CHANGE, "programme order")
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        if changed:
            undoing.offer(request, before, done)
        else:
            messages.success(request, done)


def _order(text: str) -> list[editing.DayOrder] | None:
    """The order that the page's script sends; None when it is none."""
    if not text:
        return None
    try:
        data = json.loads(text)
        return [editing.DayOrder(int(entry["day"]) or None, [int(key) for key in entry["sessions"]]) for entry in data]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


pages.register(
    "programme",
    programme,
    permission="events.view_session",
    label=gettext_lazy("Programme"),
    order=10,
    group=pages.Group.PROGRAMME,
)
