"""What can be done with several sessions at once, from the programme page and from the lists of sessions.

Each action is one call of events.editing. Those that need an answer, or show what will be, have a page in between,
which repeats the request with the answer; what was shown there is what is changed, or nothing is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import formats
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alliance.admin.history import write_history
from alliance.exceptions import DomainError
from events import editing, undoing
from events.models import Room, Session, SessionState

Change = Callable[[str | None], list[Session]]  # given the stamp of what was seen, changes and returns sessions


@dataclass(frozen=True, slots=True)
class Row:
    """A session on the page in between: what is, and what will be where that is known."""

    session: Session
    now: str
    then: str = ""


class MinutesForm(forms.Form):
    """By how much to move."""

    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"),
        min_value=-editing.MINUTES_AT_MOST,
        max_value=editing.MINUTES_AT_MOST,
        help_text=gettext_lazy("With a minus they move earlier. Segments with a time move along."),
    )

    def clean_minutes(self) -> int:
        """Nothing is no move."""
        minutes: int = self.cleaned_data["minutes"]
        if not minutes:
            raise ValidationError(_("Give the minutes: 1 to %(most)d, with a minus to move earlier.") % {"most": 1440})
        return minutes


class RoomForm(forms.Form):
    """Which room to use: one of the venues of the conferences, of all venues where they have none."""

    def __init__(self, *args: Any, sessions: list[Session], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        venues = {session.conference.venue_id for session in sessions}
        rooms = Room.objects.select_related("venue").order_by("venue", "pk")
        at_venue = rooms.filter(venue__in=[venue for venue in venues if venue is not None])
        field = forms.ModelChoiceField(label=capfirst(_("room")), queryset=rooms, required=False)
        field.choices = [("", _("no room"))] + [
            (room.pk, f"{room.name} · {room.venue.name or room.venue.city}") for room in at_venue or rooms
        ]
        self.fields["room"] = field


def _chosen(queryset: QuerySet[Session]) -> list[Session]:
    rows = Session.objects.filter(pk__in=[session.pk for session in queryset])  # the list may be of side events
    return list(rows.select_related("conference", "day", "room").in_programme_order())


def _done(
    request: HttpRequest,
    ids: list[int],
    change: Callable[[], list[Session]],
    done: Callable[[int], str],
    note: str,
) -> bool:
    """Change, write the history and say so with a way back; a refusal is said as well. Returns whether it was done."""
    try:
        with transaction.atomic():
            before = undoing.snapshot(ids)
            changed = change()
            write_history(request, changed, CHANGE, note)
    except DomainError as error:
        messages.error(request, str(error.message))
        return False
    if changed:
        undoing.offer(request, before, done(len(changed)))
    else:
        messages.success(request, done(0))
    return True


def _rehearsed(change: Callable[[], list[Session]]) -> tuple[list[Session], str]:
    """What the change would make of the sessions, or why it is refused. Nothing stays."""
    try:
        with transaction.atomic():
            changed = change()
            transaction.set_rollback(True)
    except DomainError as error:
        return [], str(error.message)
    return changed, ""


def _in_between(
    request: HttpRequest,
    *,
    name: str,
    title: str | Promise,
    button: str | Promise,
    sessions: list[Session],
    rows: list[Row],
    **more: Any,
) -> TemplateResponse:
    context = {
        **admin.site.each_context(request),
        "opts": Session._meta,
        "title": title,
        "button": button,
        "action": name,
        "rows": rows,
        "stamp": request.POST.get("stamp") or editing.stamp(sessions),
        "back": request.get_full_path(),
        "has_outcome": any(row.then for row in rows),
        **more,
    }
    return TemplateResponse(request, "admin/events/session_bulk.html", context)


def _when(session: Session) -> str:
    if session.starts_at is None or session.ends_at is None:
        return _("no time")
    zone = session.conference.zone
    start, end = session.starts_at.astimezone(zone), session.ends_at.astimezone(zone)
    return f"{formats.date_format(start, 'SHORT_DATETIME_FORMAT')}–{end:%H:%M}"


def _is_confirmed(request: HttpRequest) -> bool:
    return "confirmed" in request.POST


# --- the actions ----------------------------------------------------------------------------------------------------


@admin.action(description=gettext_lazy("Publish (scheduled)"), permissions=["change"])
def publish_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> None:
    """Drafts become scheduled. The public sees them with the next release."""
    ids = [session.pk for session in _chosen(queryset)]
    _done(
        request,
        ids,
        lambda: editing.set_state(session_ids=ids, state=SessionState.SCHEDULED),
        lambda count: ngettext("%d session is scheduled now.", "%d sessions are scheduled now.", count) % count,
        "published",
    )


@admin.action(description=gettext_lazy("Set back to draft"), permissions=["change"])
def draft_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> None:
    """Scheduled and cancelled sessions become drafts."""
    ids = [session.pk for session in _chosen(queryset)]
    _done(
        request,
        ids,
        lambda: editing.set_state(session_ids=ids, state=SessionState.DRAFT),
        lambda count: ngettext("%d session is a draft now.", "%d sessions are drafts now.", count) % count,
        "set back to draft",
    )


@admin.action(description=gettext_lazy("Cancel…"), permissions=["change"])
def cancel_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
    """Cancel, after looking at what will be cancelled."""
    sessions = _chosen(queryset)
    if _is_confirmed(request) and _done(
        request,
        [one.pk for one in sessions],
        lambda: editing.set_state(
            session_ids=[one.pk for one in sessions], state=SessionState.CANCELLED, seen=request.POST.get("stamp", "")
        ),
        lambda count: ngettext("%d session is cancelled now.", "%d sessions are cancelled now.", count) % count,
        "cancelled",
    ):
        return None
    if _is_confirmed(request):
        return None
    return _in_between(
        request,
        name="cancel_selected",
        title=_("Cancel sessions"),
        button=_("Cancel these sessions"),
        sessions=sessions,
        rows=[Row(one, f"{_when(one)} · {one.get_state_display()}") for one in sessions],
        warning=_("They stay in the programme and say that they are cancelled. People learn it with the next release."),
        is_ready=True,
    )


@admin.action(description=gettext_lazy("Move by minutes…"), permissions=["change"])
def move_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
    """Move earlier or later: all or none."""
    sessions = _chosen(queryset)
    ids = [one.pk for one in sessions]
    form = MinutesForm(request.POST if "minutes" in request.POST else None)
    then: dict[int, str] = {}
    refusal = ""
    if form.is_bound and form.is_valid():
        minutes = form.cleaned_data["minutes"]
        seen = request.POST.get("stamp")

        def change() -> list[Session]:
            return editing.shift(session_ids=ids, minutes=minutes, seen=seen)

        if _is_confirmed(request):
            _done(
                request,
                ids,
                change,
                lambda count: ngettext("%d session was moved.", "%d sessions were moved.", count) % count,
                f"moved by {minutes} minutes",
            )
            return None
        changed, refusal = _rehearsed(change)
        then = {one.pk: _when(one) for one in changed}
    rows = [Row(one, _when(one), then.get(one.pk, _("stays") if then else "")) for one in sessions]
    return _in_between(
        request, name="move_selected", title=_("Move sessions"), button=_("Move these sessions"), sessions=sessions,
        rows=rows, form=form, refusal=refusal, is_ready=bool(then),
    )  # fmt: skip


@admin.action(description=gettext_lazy("Change room…"), permissions=["change"])
def room_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
    """Put into another room: all or none."""
    sessions = _chosen(queryset)
    ids = [one.pk for one in sessions]
    form = RoomForm(request.POST if "room" in request.POST else None, sessions=sessions)
    then: dict[int, str] = {}
    refusal = ""
    if form.is_bound and form.is_valid():
        room: Room | None = form.cleaned_data["room"]
        seen = request.POST.get("stamp")

        def change() -> list[Session]:
            return editing.set_room(session_ids=ids, room_id=None if room is None else room.pk, seen=seen)

        if _is_confirmed(request):
            _done(
                request,
                ids,
                change,
                lambda count: (
                    ngettext("%d session has another room now.", "%d sessions have another room now.", count) % count
                ),
                "room changed",
            )
            return None
        changed, refusal = _rehearsed(change)
        if not refusal:
            then = dict.fromkeys(ids, _("stays")) | {
                one.pk: str(one.room.name) if one.room else _("no room") for one in changed
            }
    rows = [
        Row(one, f"{one.room.name if one.room else _('no room')} · {_when(one)}", then.get(one.pk, ""))
        for one in sessions
    ]
    return _in_between(
        request, name="room_selected", title=_("Change room"), button=_("Use this room"), sessions=sessions, rows=rows,
        form=form, refusal=refusal, is_ready=bool(then),
    )  # fmt: skip


ACTIONS = [publish_selected, draft_selected, cancel_selected, move_selected, room_selected]
