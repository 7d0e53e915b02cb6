"""Pages for participants: the form, its answer, and the door to the meeting. No log-in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from csp.decorators import csp_update
from django.conf import settings
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import video.services
from alliance import clients
from alliance.exceptions import DomainError
from alliance.same_origin import same_origin
from events import page_cache
from events.models import Conference, Session
from registration import forms, private_pages, selectors, services
from registration.joining import gateway
from registration.letters import offer_words
from registration.models import Admission, Invitation, QuestionKind, RegistrationStatus
from registration.questions import fields as question_fields
from registration.questions import uploads
from registration.seating import clashes
from registration.selectors import Offers, Thing
from registration.services import Answer
from registration.services.places import Outcome

View = Callable[..., HttpResponse]


# --- the form ---------------------------------------------------------------------------------------------------------


def _offers_or_404(slug: str) -> Offers:
    offered = selectors.offers(slug)
    if offered is None:
        raise Http404
    return offered


def _crumbs(conference: Conference) -> list[tuple[str, str]]:
    return [(_("Conferences"), reverse("events:conferences")), (str(conference.title), conference.get_absolute_url())]


@require_http_methods(private_pages.ALL_METHODS)
@same_origin
@private_pages.in_even_time
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """The form for a conference and any of its sessions."""
    offered = _offers_or_404(slug)
    now = timezone.now()
    if request.method != "POST":
        return _empty_form_page(request, offered, now=now)
    uploads.accept(request, names=[one.name for one in offered.questions if one.kind == QuestionKind.FILE])
    form = forms.RegistrationForm(request.POST, files=request.FILES, offered=offered, now=now)
    if not form.is_valid():
        return form_page(request, form, token=None)
    token: str = form.cleaned_data["token"]
    try:
        register_once(offered, form, token, now=now)
    except services.NothingChosen as error:
        form.add_error(form.choices[0].name if form.choices else None, str(error.message))
    except services.RegistrationClosed as error:
        return form_page(request, _without(form, error, now=now), token=token)
    except services.FormSentBefore as error:
        form.add_error(None, str(error.message))
        return form_page(request, form, token=forms.new_token())
    except DomainError as error:
        form.add_error(None, str(error.message))
    else:
        if form.uploads:
            services.answers.release_kept(form_token=token, now=now)
        return private_pages.SeeOther(reverse("registration:received", args=[slug, token]))
    return form_page(request, form, token=token)


_TOKEN_HERE = secrets.token_urlsafe(24)  # stands in a kept page where each reader's own token goes
_EMPTY_FORM_SECONDS = 1.0
_empty_forms: dict[tuple[str, ...], tuple[float, HttpResponse]] = {}


def _empty_form_page(request: HttpRequest, offered: Offers, *, now: datetime) -> HttpResponse:
    """The empty form. In a rush many ask for it in the same second: they get one page, with tokens of their own.

    Places shown on it are then up to two seconds old, as they are by the time anybody has read them: while one thread
    makes the page anew, the others go on with the one before.
    """
    chosen = request.GET.get("session", "")
    key = (request.get_full_path(), get_language() or "", str(page_cache.content_version()))
    kept = _empty_forms.get(key)
    age = time.monotonic() - kept[0] if kept else 0.0
    if kept is None or age > _EMPTY_FORM_SECONDS:
        if kept and age < 2 * _EMPTY_FORM_SECONDS:
            _empty_forms[key] = (kept[0] + _EMPTY_FORM_SECONDS, kept[1])
        form = forms.RegistrationForm(offered=offered, now=now, chosen=chosen)
        if len(_empty_forms) > 100:
            _empty_forms.clear()
        kept = _empty_forms[key] = (time.monotonic(), form_page(request, form, token=_TOKEN_HERE))
    page = kept[1].content.replace(_TOKEN_HERE.encode(), forms.new_token().encode(), 1)
    return HttpResponse(page, headers=dict(kept[1].items()))


def register_once(
    offered: Offers,
    form: forms.RegistrationForm,
    token: str,
    *,
    now: datetime,
    invitation: Invitation | None = None,
) -> None:
    """Register; once more when the database had trouble, which the same token makes harmless."""
    chosen = form.admissions()
    applicant = form.applicant(language=get_language() or "en")
    for is_last in (False, True):
        try:
            services.register(
                conference=offered.conference,
                admissions=chosen,
                applicant=applicant,
                form_token=token,
                now=now,
                invitation=invitation,
            )
        except OperationalError:
            connection.close_if_unusable_or_obsolete()
            if is_last:
                raise
        else:
            return


def _without(
    form: forms.RegistrationForm, error: services.RegistrationClosed, *, now: datetime
) -> forms.RegistrationForm:
    """The form as it was sent, without what has closed meanwhile."""
    closed = {str(admission.public_id) for admission in error.closed}
    kept = cast("QueryDict", form.data).copy()  # with all values of a name: a question may have several answers
    for thing, _ways in form.things:
        if kept.get(thing.name) in closed:
            kept[thing.name] = ""
    again = forms.RegistrationForm(kept, files=form.files, offered=form.offered, now=now)
    again.full_clean()
    again.add_error(None, str(error.message))
    return again


def form_page(
    request: HttpRequest,
    form: forms.RegistrationForm,
    *,
    token: str | None,
    template: str = "registration/register.html",
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page with the form. token: for the hidden field; None keeps the one that was sent, if it is good.

    template, more: another page around the form, and what it needs.
    """
    conference = form.offered.conference
    if token is None:
        sent = form.cleaned_data.get("token", "") if form.is_bound else ""
        token = sent if forms.is_valid_token(sent) else forms.new_token()
    if files := form.uploads:
        kept = services.answers.keep(form_token=token, files=files, now=form.now)
        for question in form.questions:
            if question.pk in files and question.pk not in kept:
                form.fields[question.name].widget.kept_name = ""
    places = selectors.live_places(form.offered)
    open_things = {thing.name for thing, _ways in form.things}
    context = {
        "form": form,
        "token": token,
        "conference": conference,
        "crumbs": _crumbs(conference),
        "choices": [_choice(field, places) | clash for field, clash in zip(form.choices, _clashes(form), strict=True)],
        "closed": [_closed(thing, conference) for thing in form.offered.things if thing.name not in open_things],
        "questions": form.about_questions,
        "elsewhere": form.offered.elsewhere,
        "resend_url": reverse("registration:resend", args=[conference.slug]),
    }
    context |= more or {}
    return render(request, template, context, status=private_pages.UNPROCESSABLE if form.errors else 200)


def _choice(field: Any, places: dict[int, Any]) -> dict[str, Any]:
    """What the form shows about one thing to attend."""
    widget: forms.OneWay = field.field.widget
    return {
        "field": field,
        "session": widget.thing.session,
        "by_invitation": [way for way in widget.thing.by_invitation(timezone.now()) if way not in widget.ways],
        "ways": [
            {"option": option, "admission": admission, "places": places.get(admission.pk) if admission else None}
            for option, admission in zip(field, [*widget.ways, None], strict=False)
        ],
    }


def _clashes(form: forms.RegistrationForm) -> list[dict[str, Any]]:
    """For each thing of the form: the fields of those at the same time, and the titles of what is chosen of them."""
    things = {ways[0].pk: thing for thing, ways in form.things}
    found = clashes.among([ways[0] for _thing, ways in form.things])
    chosen = {thing.name for thing, _ways in form.things if form[thing.name].value()}
    marks = []
    for thing, ways in form.things:
        others = [things[other.pk] for other in found.get(ways[0].pk, [])]
        titles = [_title(other.session, form.offered.conference) for other in others if other.name in chosen]
        marks.append(
            {
                "clash_names": " ".join(other.name for other in others),
                "clash_titles": titles if thing.name in chosen else [],
            }
        )
    return marks


def _title(session: Session | None, conference: Conference) -> str:
    """What one attends, marked where the words are in another language than the page."""
    return question_fields.in_language((session or conference).title)


def _closed(thing: Thing, conference: Conference) -> dict[str, Any]:
    """Why something cannot be chosen: not open yet, or not any more."""
    now = timezone.now()
    opens = [admission.opens_at for admission in thing.admissions if admission.opens_at and now < admission.opens_at]
    shown: dict[str, Any] = {"session": thing.session, "by_invitation": bool(thing.by_invitation(now))}
    return shown | _instant("opens", min(opens, default=None), conference)


def _instant(name: str, instant: datetime | None, conference: Conference) -> dict[str, Any]:
    """An instant and its day by the venue's clock."""
    return {f"{name}_at": instant, f"{name}_day": instant.astimezone(conference.zone).date() if instant else None}


# --- its answer -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """One line of the answer."""

    session: Session | None
    admission: Admission
    status: str
    label: str
    text: str
    clash_titles: list[str]


@require_safe
@private_pages.private
def received(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """What the form led to, the same for a new and for a known address (docs/decisions/0010-neutral-answer.md)."""
    offered = _offers_or_404(slug)
    answer = services.find_answer(form_token=token)
    told = _told(offered, answer) if answer else []
    if not told:
        raise Http404
    context = {
        "conference": offered.conference,
        "crumbs": _crumbs(offered.conference),
        "told": told,
        "resend_url": reverse("registration:resend", args=[slug]),
    }
    return render(request, "registration/received.html", context)


def _told(offered: Offers, answer: Answer) -> list[_Told]:
    by_admission = {outcome.admission: outcome for outcome in answer.outcomes}
    chosen = [
        (thing.session, admission, outcome)
        for thing in offered.things
        for admission in thing.admissions
        if (outcome := by_admission.get(str(admission.public_id)))
    ]
    clashing = clashes.among(
        admission for _session, admission, outcome in chosen if outcome.status != RegistrationStatus.REJECTED
    )
    return [
        _Told(
            session,
            admission,
            outcome.status,
            str(outcome.status.label),
            _explanation(outcome, admission),
            [_title(other.session, offered.conference) for other in clashing.get(admission.pk, [])],
        )
        for session, admission, outcome in chosen
    ]


def _explanation(outcome: Outcome, admission: Admission) -> str:
    match outcome.status:
        case RegistrationStatus.CONFIRMED:
            return _("There is a place for you.")
        case RegistrationStatus.WAITLISTED:
            return offer_words.in_line(admission, outcome.position or 1)
        case RegistrationStatus.PENDING:
            return _("The organiser looks at your registration and decides. You will get a mail either way.")
        case RegistrationStatus.REJECTED:
            return _("All places are taken and there is no waiting list.")
        case _:
            return ""


@require_http_methods(private_pages.ALL_METHODS)
@same_origin
@private_pages.in_even_time
def resend(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the personal link again. The answer is the same for every address."""
    offered = _offers_or_404(slug)
    context: dict[str, Any] = {"conference": offered.conference, "crumbs": _crumbs(offered.conference)}
    if request.method != "POST":
        form = forms.ResendForm()
        return render(request, "registration/resend.html", context | {"form": form, "is_sent": "sent" in request.GET})
    form = forms.ResendForm(request.POST)
    if not form.is_valid():
        return render(request, "registration/resend.html", context | {"form": form}, status=private_pages.UNPROCESSABLE)
    services.resend_personal_link(conference=offered.conference, email=form.cleaned_data["email"], now=timezone.now())
    return private_pages.SeeOther(reverse("registration:resend", args=[slug]) + "?sent")


# --- the door ---------------------------------------------------------------------------------------------------------


def _leads_out(view: View) -> View:
    """A page whose form ends at another site. Chromium applies form-action to the redirect as well, and the header
    must not name the site we hide; so any https address is allowed on this one page."""
    targets = ["https:", "http:"] if settings.DEMO or settings.DEBUG else ["https:"]
    return cast("View", csp_update({"form-action": targets})(cast("Any", view)))


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@_leads_out
@same_origin
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The door to a meeting. Looking tells how things stand; the button leads in, to an address shown nowhere else."""
    now = timezone.now()
    entry = services.enter(token=token, now=now, joining=request.method == "POST")
    if entry is None:
        raise Http404
    if request.method == "POST" and isinstance(entry.door, video.services.OpenDoor):
        services.links.note_network(entry.registration, clients.address_of(request), now=now)
        return private_pages.SeeOther(entry.door.url)
    participant = entry.registration.participant
    language = private_pages.language_of(request, participant)
    with translation.override(language):
        context = private_pages.frame(request, participant) | gateway.words(entry.registration, entry.door, now=now)
        response = render(request, "registration/join.html", context)
    response["Content-Language"] = language
    return response
