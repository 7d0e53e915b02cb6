"""The page "Mails" of a conference: every letter in six languages, its wording, a preview, and a test to oneself."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import outbox.services
from accounts.admin import actor
from accounts.models import User
from alliance.admin import refuse
from alliance.exceptions import DomainError
from events import mail_texts, mail_trial
from events.admin import pages
from events.models import Conference, MailText
from outbox import catalogue, wording
from outbox.catalogue import LetterKind

_SEE = "events.view_mailtext"
_CHANGE = "events.change_mailtext"


def mails(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All letters with the languages in which organisers have worded them anew; which leave by the clock."""
    may_change = request.user.has_perm(_CHANGE, conference)
    if request.method == "POST":
        if not may_change:
            refuse(request, "mails")
        mail_texts.change_settings(
            conference=conference,
            day_before="day_before" in request.POST,
            hour_before="hour_before" in request.POST,
            digests="digests" in request.POST,
            by=actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(pages.url("mails", conference))
    edited = set(MailText.objects.filter(conference=conference).values_list("letter", "language"))
    context = pages.context(request, conference, "mails", _("Mails")) | {
        "languages": settings.LANGUAGES,
        "letters": [
            {
                "kind": kind,
                "texts": [
                    {
                        "language": language,
                        "name": name,
                        "is_edited": (kind.name, language) in edited,
                        "url": pages.url("mail-text", conference, letter=kind.name, language=language),
                    }
                    for language, name in settings.LANGUAGES
                ],
            }
            for kind in catalogue.kinds()
        ],
        "given": mail_texts.settings_of(conference),
        "may_change": may_change,
    }
    return TemplateResponse(request, "admin/events/mails/page.html", context)


def mail_text(request: HttpRequest, conference: Conference, letter: str, language: str) -> HttpResponse:
    """One letter in one language: words, placeholders, preview; save, go back to the default, send a test."""
    try:
        kind = catalogue.get(letter)
    except KeyError:
        raise Http404 from None
    if language not in dict(settings.LANGUAGES):
        raise Http404
    may_change = request.user.has_perm(_CHANGE, conference)
    text = MailText.objects.filter(conference=conference, letter=letter, language=language).first()
    subject, body = (text.subject, text.body) if text else kind.source(language)
    version = text.version if text else 0
    problems: list[wording.Problem] = []
    if request.method == "POST":
        if not may_change:
            refuse(request, "mail-text")
        here = HttpResponseRedirect(pages.url("mail-text", conference, letter=letter, language=language))
        if "test" in request.POST:
            _send_test(request, conference, letter, language)
            return here
        subject, body = request.POST.get("subject", "")[:1000], request.POST.get("body", "")[:100_000]
        version = _number(request.POST.get("version", ""))
        try:
            if "reset" in request.POST:
                mail_texts.reset(
                    conference_id=conference.pk, letter=letter, language=language, version=version,
                    by=actor(request), now=timezone.now(),
                )  # fmt: skip
                messages.success(request, _("The default text is sent again."))
                return here
            if "save" in request.POST:
                mail_texts.save(
                    conference_id=conference.pk, letter=letter, language=language, subject=subject, body=body,
                    version=version, by=actor(request), now=timezone.now(),
                )  # fmt: skip
                messages.success(request, _("Saved. Letters that leave from now on have this text."))
                return here
        except mail_texts.TextRefused as error:
            problems = error.problems
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            problems = wording.problems(kind, subject.strip(), body.replace("\r\n", "\n").strip())
    context = pages.context(request, conference, "mail-text", kind.title) | {
        "kind": kind,
        "language": language,
        "language_name": dict(settings.LANGUAGES)[language],
        "subject": subject,
        "body": body,
        "version": version,
        "is_edited": text is not None,
        "text": text,
        "problems": problems,
        "default": kind.source(language),
        "may_change": may_change,
        "may_choose": request.user.has_perm("registration.view_registration", conference),
        "participant": request.POST.get("participant", ""),
        "longest_subject": wording.LONGEST_SUBJECT,
        "back_url": pages.url("mails", conference),
    }
    if not problems:
        context |= _preview(request, conference, kind, language, (subject, body))
    return TemplateResponse(request, "admin/events/mails/text.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _preview(
    request: HttpRequest, conference: Conference, kind: LetterKind, language: str, words: tuple[str, str]
) -> dict[str, Any]:
    """The letter with a real row's values, for those who may see people; else with examples."""
    values, is_real = kind.examples(), False
    if kind.sample is not None and request.user.has_perm("registration.view_registration", conference):
        who = request.POST.get("participant", "").strip()
        try:
            found = kind.sample(conference.pk, UUID(who) if who else None, language)
        except ValueError:
            found = None
        if found is None and who:
            messages.warning(request, _("Nobody at this conference has this id; the preview shows examples."))
        if found is not None:
            values, is_real = values | dict(found), True
    composed = kind.compose(values, language=language, wording=words)
    return {
        "preview": composed,
        "preview_html": mark_safe(composed.body),  # noqa: S308 - cleaned by nh3
        "is_real": is_real,
    }


def _send_test(request: HttpRequest, conference: Conference, letter: str, language: str) -> None:
    user = cast("User", request.user)
    outbox.services.queue(
        [mail_trial.message(user=user, conference=conference, letter=letter, language=language, now=timezone.now())]
    )
    messages.success(
        request,
        _("A test with the saved text and examples was queued to %(address)s.") % {"address": user.email},
    )


pages.register("mails", mails, permission=_SEE, label=gettext_lazy("Mails"), order=20, group=pages.Group.MESSAGES)
pages.register("mail-text", mail_text, permission=_SEE, route="mails/<slug:letter>/<str:language>/", of="mails")
