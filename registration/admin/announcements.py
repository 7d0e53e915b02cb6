"""Messages to a selection of people, for organisers: a tab with all of them, and the page on which one is written."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Substr
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actors import Actor
from accounts.admin import actor
from accounts.models import User
from alliance.admin import clock_time
from alliance.exceptions import DomainError
from alliance.forms import TranslatedFormField
from alliance.languages import Translations
from events import jobs
from events.admin import long_work, pages
from events.models import Conference
from outbox.models import Message, MessageState
from registration import fields
from registration.admin import seen
from registration.letters import organiser_mails
from registration.models import Announcement, AnnouncementKind, AnnouncementState, Participant, Registration
from registration.services import announcements

PERMISSION = "registration.change_announcement"
RELEASE = "announcement-release"
_MANY = 2_000  # people; above it the letters are queued by a worker
_SHOWN = 50  # the newest messages; older ones are found in the outbox
_LONGEST_SUBJECT, _LONGEST_TEXT = 150, 10_000


class WordsForm(forms.Form):
    """What is sent, in each language; English must be there, for those whose language is missing."""

    subject = TranslatedFormField(
        required=False,
        label=gettext_lazy("Subject"),
        help_text=gettext_lazy("Others may see it on somebody’s screen: leave out what is confidential."),
    )
    text = TranslatedFormField(
        required=False,
        multiline=True,
        label=gettext_lazy("Text"),
        help_text=gettext_lazy(
            "Paragraphs with an empty line between them. Whose language is missing gets the English text with a notice."
        ),
    )
    to_ended = forms.BooleanField(
        required=False, label=gettext_lazy("Also to people who have cancelled or were not admitted")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in cast("Any", self.fields["text"].widget).widgets:
            one.attrs["rows"] = 12

    def clean_subject(self) -> Translations:
        """One line, not too long."""
        return self._checked("subject", _LONGEST_SUBJECT, lines=False)

    def clean_text(self) -> Translations:
        """Several lines."""
        return self._checked("text", _LONGEST_TEXT, lines=True)

    def _checked(self, name: str, longest: int, *, lines: bool) -> Translations:
        found = cast("Translations", self.cleaned_data[name])
        for text in found.values():
            if len(text) > longest:
                raise ValidationError(
                    _("This is too long: shorten it to %(limit)d characters.") % {"limit": longest}, code="long"
                )
            if fields.has_tricks(text, lines=lines):
                raise ValidationError(
                    _("This holds invisible or control characters. Type it by hand instead of pasting it."),
                    code="tricks",
                )
            if unknown := organiser_mails.unknown_placeholders(text):
                wrong = ", ".join(f"{{{one}}}" for one in unknown)
                raise ValidationError(_("Unknown placeholder: %(names)s") % {"names": wrong}, code="placeholder")
        return found


def begin(request: HttpRequest, chosen: QuerySet[Registration]) -> HttpResponse | None:
    """A new message to the people behind chosen registrations; then its page."""
    found = list(chosen.order_by().values_list("admission__conference", flat=True).distinct()[:2])
    conference = Conference.objects.filter(pk__in=found).first() if len(found) == 1 else None
    if conference is None or not request.user.has_perm(PERMISSION, conference):
        messages.warning(request, _("Choose registrations of one conference at which you may write to people."))
        return None
    made = announcements.begin(
        conference=conference,
        registration_ids=list(chosen.order_by().values_list("pk", flat=True)),
        by=actor(request),
        now=timezone.now(),
    )
    return HttpResponseRedirect(pages.url("message", conference, message=made.public_id))


# --- the list --------------------------------------------------------------------------------------------------------

_KEY_START = len("announcement:") + 1
_UUID = 36


def _figures(found: list[Announcement]) -> dict[str, dict[str, int]]:
    """How many messages stand where, by public id and state. One query."""
    if not found:
        return {}
    of_these = Q()
    for one in found:
        of_these |= Q(key__startswith=organiser_mails.key_of(one))
    rows = Message.objects.filter(of_these)
    counted = (
        rows.annotate(of=Substr("key", _KEY_START, _UUID)).order_by().values_list("of", "state").annotate(n=Count("pk"))
    )
    figures: dict[str, dict[str, int]] = {}
    for of, state, count in counted:
        figures.setdefault(of, {})[state] = count
    return figures


def _row(announcement: Announcement, states: dict[str, int]) -> dict[str, Any]:
    conference = announcement.conference
    waiting = sum(states.get(state, 0) for state in ("queued", "leased", "retrying", "held"))
    over = sum(states.get(state, 0) for state in (MessageState.SENT, MessageState.DEAD, MessageState.SUPERSEDED))
    return {
        "announcement": announcement,
        "subject": _title(announcement),
        "url": pages.url("message", conference, message=announcement.public_id),
        "at": clock_time(announcement.released_at or announcement.asked_at or announcement.created_at, conference.zone),
        "sent": states.get(MessageState.SENT, 0),
        "failed": states.get(MessageState.DEAD, 0),
        "not_needed": states.get(MessageState.SUPERSEDED, 0),
        "waiting": waiting,
        "over": over,
        "all": over + waiting,
        "is_leaving": announcement.state == AnnouncementState.RELEASED and waiting > 0,
    }


def _title(announcement: Announcement) -> str:
    """The subject; of a letter of the house, what it is about."""
    kind = announcement.get_kind_display()
    if announcement.kind == AnnouncementKind.WRITTEN:
        return str(announcement.subject) or _("Without a subject")
    if announcement.release is not None:
        return f"{kind} ({announcement.release.number})"
    return f"{kind}: {(announcement.session or announcement.conference).title}"


def index(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Every message that was written to people of the conference, with how it fared."""
    written = Announcement.objects.filter(conference=conference).select_related("release", "session")
    found = list(written.order_by("-created_at", "-pk")[:_SHOWN])
    figures = _figures(found)
    for one in found:
        one.conference = conference
    context = pages.context(request, conference, "messages", _("Messages to people")) | {
        "rows": [_row(one, figures.get(str(one.public_id), {})) for one in found],
    }
    return TemplateResponse(request, "admin/registration/announcements.html", context)


# --- one message -----------------------------------------------------------------------------------------------------


def page(request: HttpRequest, conference: Conference, message: UUID) -> HttpResponse:
    """Write it, look at it, try it out, send it off, release it, recall it."""
    announcement = Announcement.objects.filter(public_id=message, conference=conference).first()
    if announcement is None:
        raise Http404
    announcement.conference = conference
    here = pages.url("message", conference, message=message)
    form = WordsForm(
        initial={
            "subject": announcement.subject,
            "text": announcement.text,
            "to_ended": announcement.to_ended,
        }
    )
    if request.method == "POST":
        if "release" in request.POST and announcement.recipients > _MANY:
            order = {"announcement": str(announcement.public_id)}
            return long_work.order_work(request, RELEASE, conference, order, back=here)
        try:
            form = WordsForm(request.POST)
            done = _act(request, announcement, form)
        except DomainError as error:
            messages.error(request, str(error.message))
            done = True
        if done:
            return HttpResponseRedirect(here)
    is_draft = announcement.state == AnnouncementState.DRAFT
    user = cast("User", request.user)
    language = request.GET.get("language", "en")
    language = language if language in dict(settings.LANGUAGES) else "en"
    context = pages.context(request, conference, "message", _("Message to people")) | {
        "announcement": announcement,
        "form": form,
        "seen": _as_seen(announcement),
        "is_draft": is_draft,
        "is_written": announcement.kind == AnnouncementKind.WRITTEN,
        "may_release": announcement.state == AnnouncementState.WAITING and announcement.asked_by_id != user.pk,
        "is_own": announcement.asked_by_id == user.pk,
        "may_recall": announcement.state in {AnnouncementState.WAITING, AnnouncementState.RELEASED},
        "recipients": announcements.recipients(announcement).count() if is_draft else announcement.recipients,
        "row": _row(announcement, _figures([announcement]).get(str(announcement.public_id), {})),
        "placeholders": [(f"{{{name}}}", text) for name, text in organiser_mails.PLACEHOLDERS.items()],
        "languages": settings.LANGUAGES,
        "language": language,
        "preview": _preview(announcement, language),
        "leaves_after": int(organiser_mails.RECALL_FOR.total_seconds() // 60),
        "second_above": settings.ANNOUNCEMENT_RELEASE_ABOVE,
    }
    return TemplateResponse(request, "admin/registration/announcement.html", context)


def _act(request: HttpRequest, announcement: Announcement, form: WordsForm) -> bool:
    """Do what the button says. False: the words must be corrected first."""
    by, now = actor(request), timezone.now()
    if "release" in request.POST:
        announcements.release(announcement_id=announcement.pk, by=by, now=now)
        messages.success(request, _("The message is released."))
        return True
    if "recall" in request.POST:
        count = announcements.recall(announcement_id=announcement.pk, by=by, now=now)
        text = ngettext("Recalled: %(count)s mail does not leave.", "Recalled: %(count)s mails do not leave.", count)
        messages.success(request, text % {"count": count})
        return True
    if not form.is_valid():
        return False
    if seen.is_stale(request, _as_seen(announcement)):
        messages.error(request, str(seen.CHANGED_BELOW))
        return False
    data = form.cleaned_data
    announcement = announcements.word(
        announcement_id=announcement.pk, subject=data["subject"], text=data["text"], to_ended=data["to_ended"]
    )
    if "test" in request.POST:
        user, language = cast("User", request.user), request.POST.get("test_language", "en")
        language = language if language in dict(settings.LANGUAGES) else "en"
        announcements.try_out(announcement=announcement, user=user, language=language, now=now)
        messages.success(request, _("Saved. A trial is on its way to your own address."))
    elif "send" in request.POST:
        sent = announcements.send_off(announcement_id=announcement.pk, by=by, now=now)
        if sent.state == AnnouncementState.WAITING:
            messages.success(request, _("The message waits for a second organiser, who must release it."))
        else:
            messages.success(request, _("The message is on its way. You can recall it for ten minutes."))
    else:
        messages.success(request, _("Saved."))
    return True


def _as_seen(announcement: Announcement) -> str:
    """How the words of a draft stand."""
    words = (sorted(announcement.subject.items()), sorted(announcement.text.items()))
    return seen.stamp(*words, announcement.to_ended)


def release(of: jobs.Work) -> jobs.Result:
    """Let a message to very many people leave: to queue that many letters takes longer than a request may."""
    found = Announcement.objects.get(public_id=of.order["announcement"], conference=of.conference)
    is_done = found.state == AnnouncementState.RELEASED and found.released_by_id == of.owner.pk
    if not is_done:  # it is when a worker was stopped after the end
        of.step(0)
        announcements.release(announcement_id=found.pk, by=Actor.organiser(of.owner), now=timezone.now())
    url = pages.url("message", found.conference, message=found.public_id)
    return jobs.Result(said=_("The message is released."), url=url)


def _preview(announcement: Announcement, language: str) -> dict[str, Any] | None:
    """How the first person would read it in a language. The link opens nobody's page."""
    first: Participant | None = announcements.recipients(announcement).defer("sealed_identity").first()
    if first is None or not announcement.text.get("en"):  # also for letters of the house: their words are elsewhere
        return None
    nobody = organiser_mails.trial(announcement, language, first.display_name)
    reader = organiser_mails.Reader(
        language, first.display_name, organiser_mails.thing_of(announcement, first), nobody.address, nobody.contact
    )
    letter, written_in = organiser_mails.write(announcement, reader)
    return {
        "name": first.display_name,
        "subject": letter.subject,
        "body": mark_safe(letter.body),  # noqa: S308 - cleaned by nh3 in outbox.letters
        "language": written_in,
    }


jobs.register(RELEASE, release, label=gettext_lazy("Message to people"), may=jobs.by_permission(PERMISSION))
pages.register(
    "messages", index, permission=PERMISSION, label=gettext_lazy("Messages"), order=10, group=pages.Group.MESSAGES
)
pages.register("message", page, permission=PERMISSION, route="messages/<uuid:message>/", of="messages")
