"""The page behind List-Unsubscribe: mail programs POST to it without a cookie, people see a button."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import User
from alliance import languages
from registration import private_pages
from registration.letters import unsubscribing
from registration.models import Participant


@csrf_exempt  # the token is the right to do it; there is no cookie that a foreign page could borrow
@require_http_methods(["GET", "HEAD", "POST"])
@private_pages.private
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET changes nothing and shows how things stand. POST stops the mails, or wants them again.

    A POST of a mail program (RFC 8058) gets the page at once: it follows no redirect. The page is the same whether the
    person is still there.
    """
    named = unsubscribing.read_token(token)
    if named is None:
        raise Http404
    kind, public_id = named
    if request.method == "POST":
        if "again" in request.POST:
            unsubscribing.go_on(public_id)
        else:
            unsubscribing.stop(kind, public_id, now=timezone.now())
    known: type[Participant | User] = Participant if kind == "participant" else User
    language = request.GET.get("lang", "")
    if language not in languages.codes():
        language = known._default_manager.filter(public_id=public_id).values_list("language", flat=True).first() or "en"
    with translation.override(language):
        response = render(
            request,
            "registration/unsubscribe.html",
            {"has_stopped": unsubscribing.has_stopped(public_id), "is_done": request.method == "POST"},
        )
    response["Content-Language"] = language
    return response
