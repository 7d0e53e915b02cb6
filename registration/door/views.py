"""The door: where stewards let people in. They sign in and need the right to check in; strangers get 404.

Works as a plain form. With JavaScript the page reads codes by camera and keeps what could not be sent (door.js):
the opaque code, a nonce and the time, never anything about a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import Actor
from accounts.models import User
from alliance import field_errors
from alliance.exceptions import DomainError
from events.models import Conference, Format, Room, Session, SessionKind, SessionState
from registration.door import badges
from registration.models import CheckIn
from registration.services import attendance
from registration.services.attendance import Entry, Verdict

View = Callable[..., HttpResponse]

PERMISSION = "registration.add_checkin"
ENTRANCE = "_entrance"  # no slug made of a title begins so
_METHODS = ["GET", "HEAD", "POST"]
_UNPROCESSABLE, _CONFLICT, _TOO_MANY = 422, 409, 429
_KINDS = {Verdict.WELCOME: "good", Verdict.ALREADY_IN: "care"}  # the others are "bad"


def _stewards_only(view: View) -> View:
    """Ask strangers to sign in; to those who may not check people in at the conference there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **captured: Any) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        conference = Conference.objects.select_related("venue").filter(slug=slug).first()
        if conference is None or not user.may_open_admin() or not user.has_perm(PERMISSION, conference):
            raise Http404
        with timezone.override(conference.zone):
            response = view(request, conference, **captured)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        # The camera reads codes on this page; nothing it sees leaves the browser.
        response["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
        return response

    return guarded


@dataclass(frozen=True, slots=True)
class _Door:
    """One door: of a session, or the entrance (session: None)."""

    conference: Conference
    session: Session | None

    @property
    def name(self) -> str:
        """Its part of the address."""
        return self.session.slug if self.session is not None else ENTRANCE


def _sessions(conference: Conference) -> list[Session]:
    """What people come to in a room, in programme order."""
    return list(
        Session.objects.filter(conference=conference, state=SessionState.SCHEDULED)
        .exclude(kind=SessionKind.BREAK)
        .exclude(format=Format.ONLINE)
        .select_related("day", "room")
        .in_programme_order()
    )


def _door(conference: Conference, where: str) -> _Door:
    if where == ENTRANCE:
        return _Door(conference, None)
    found = next((session for session in _sessions(conference) if session.slug == where), None)
    if found is None:
        raise Http404
    return _Door(conference, found)


# --- choosing a door --------------------------------------------------------------------------------------------------


@require_safe
@_stewards_only
def doors(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Choose the door: the entrance, or a session; those of today come first."""
    today = timezone.localdate()
    by_day: dict[date | None, list[Session]] = {}
    for session in _sessions(conference):
        by_day.setdefault(attendance.day_of(session, conference), []).append(session)
    days = sorted(by_day.items(), key=lambda found: (found[0] != today, found[0] is None, found[0] or today))
    context = {
        "conference": conference,
        "days": days,
        "today": today,
        "entrance": reverse("registration:door", args=[conference.slug, ENTRANCE]),
    }
    return render(request, "registration/door/doors.html", context)


# --- one door ---------------------------------------------------------------------------------------------------------


def _name_of(obj: Room) -> str:
    return str(obj.name)


class CodeForm(field_errors.ClearErrors, forms.Form):
    """What a device sends for one code. at: when it was read; without JavaScript it is empty and means now."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        strip=True,
        error_messages={"required": gettext_lazy("Read the code of a ticket, or type it.")},
    )
    nonce = forms.UUIDField(widget=forms.HiddenInput)
    at = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    room = forms.ModelChoiceField(
        label=gettext_lazy("Room"), queryset=Room.objects.none(), required=False, empty_label=gettext_lazy("No room")
    )

    def __init__(self, *args: Any, door: _Door, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rooms = Room.objects.filter(venue=door.conference.venue_id).order_by("pk")
        field = cast("forms.ModelChoiceField[Room]", self.fields["room"])
        field.queryset = rooms
        field.label_from_instance = _name_of  # type: ignore[method-assign]
        self.fields["code"].widget.attrs |= {
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
            "enterkeyhint": "go",
            "autofocus": True,
        }


@require_http_methods(_METHODS)
@_stewards_only
def door(request: HttpRequest, conference: Conference, where: str) -> HttpResponse:
    """Read codes at one door."""
    here = _door(conference, where)
    if request.method != "POST":
        room = request.GET.get("room", "")
        standing = {"room": room if room.isdecimal() else here.session.room_id if here.session else None}
        return _page(request, here, standing=standing)
    form = CodeForm(request.POST, door=here)
    if not form.is_valid():
        return _refused(request, here, _("Type or read a code."), status=_UNPROCESSABLE)
    now = timezone.now()
    try:
        entry = attendance.check_in(
            conference=conference,
            typed=form.cleaned_data["code"],
            session=here.session,
            room=form.cleaned_data["room"],
            nonce=form.cleaned_data["nonce"],
            at=form.cleaned_data["at"] or now,
            by=Actor.organiser(cast("User", request.user)),
            now=now,
        )
    except attendance.TooManyUnknownCodes as error:
        return _refused(request, here, str(error.message), status=_TOO_MANY)
    except DomainError as error:
        return _refused(request, here, str(error.message), status=_CONFLICT)
    room = form.cleaned_data["room"]
    return _answer(request, here, _told(here, entry), standing={"room": room.pk if room else None})


@require_POST
@_stewards_only
def undo(request: HttpRequest, conference: Conference, where: str) -> HttpResponse:
    """Take one entry back."""
    here = _door(conference, where)
    try:
        nonce = UUID(request.POST.get("nonce", ""))
    except ValueError:
        raise Http404 from None
    by = Actor.organiser(cast("User", request.user))
    undone = attendance.undo(conference=conference, nonce=nonce, by=by, now=timezone.now())
    done = "undone" if undone is not None else "nothing"
    return HttpResponseRedirect(f"{reverse('registration:door', args=[conference.slug, here.name])}?done={done}")


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _told(here: _Door, entry: Entry) -> dict[str, Any]:
    """What the steward sees: the name people go by, nothing else about them where that is an alias."""
    person = entry.participant
    lines = []
    if person is not None and not person.has_alias:
        lines.append(badges.affiliation(person))
    if entry.verdict == Verdict.ALREADY_IN and entry.check_in is not None:
        lines.append(_("Came in at %(time)s.") % {"time": _clock(entry.check_in.at, here.conference)})
    return {
        "kind": _KINDS.get(entry.verdict, "bad"),
        "verdict": entry.verdict,
        "title": entry.verdict.label,
        "name": person.display_name if person is not None else "",
        "lines": [line for line in lines if line],
        "for_day": entry.for_day,
        "undo_nonce": _undoable(entry.check_in),
    }


def _undoable(made: CheckIn | None) -> str:
    return str(made.nonce) if made is not None and made.undone_at is None else ""


def _clock(at: datetime, conference: Conference) -> str:
    return f"{at.astimezone(conference.zone):%H:%M}"


def _refused(request: HttpRequest, here: _Door, message: str, *, status: int) -> HttpResponse:
    told = {"kind": "bad", "verdict": "refused", "title": message, "lines": []}
    return _answer(request, here, told, standing={"room": request.POST.get("room")}, status=status)


def _answer(
    request: HttpRequest, here: _Door, told: dict[str, Any], *, standing: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The answer to a code: as the whole page, or as its part for the page that asked by JavaScript."""
    if not _wants_json(request):
        return _page(request, here, standing=standing, answer=told, status=status)
    context = _frame(here) | {"answer": told}
    count: attendance.Count = context["count"]
    return JsonResponse(
        {
            "verdict": told["verdict"],
            "kind": told["kind"],
            "html": render_to_string("registration/door/_answer.html", context, request),
            "here": count.here,
            "expected": count.expected,
        },
        status=status,
    )


def _frame(here: _Door) -> dict[str, Any]:
    return {
        "conference": here.conference,
        "session": here.session,
        "where": here.name,
        "count": attendance.count(
            conference=here.conference, session=here.session, on_day=timezone.localdate(timezone=here.conference.zone)
        ),
    }


def _page(
    request: HttpRequest,
    here: _Door,
    *,
    standing: dict[str, Any],
    answer: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    form = CodeForm(initial={"nonce": uuid4(), **standing}, door=here)
    context = _frame(here) | {"code_form": form, "answer": answer, "done": request.GET.get("done", "")}
    return render(request, "registration/door/door.html", context, status=status)
