"""Error pages: what happened, what to do, in the reader's language; as a problem document where a program asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import languages


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: the API answers RFC 9457 problem documents, pages answer HTML."""
    return request.path.startswith("/api/")


def problem(*, status: int, kind: str, title: str, detail: str = "", **more: object) -> JsonResponse:
    """An RFC 9457 problem document. kind: the stable name behind the type."""
    body = {"type": f"urn:alliance:problem:{kind}", "title": title, "status": status, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def spoken(answer: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a function answer programs in the language they ask for; people read the language of the page."""

    @wraps(answer)
    def in_their_language(request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        if not wants_json(request):
            return answer(request, *args, **more)
        with translation.override(languages.of_program(request)):
            response = answer(request, *args, **more)
            response.headers["Content-Language"] = translation.get_language()
            return response

    return in_their_language


def _error(
    request: HttpRequest, *, status: int, kind: str, title: str | Promise, what_to_do: str, in_admin: str | Promise = ""
) -> HttpResponse:
    """in_admin: what organisers can do, where their pages know better."""
    if wants_json(request):
        return problem(status=status, kind=kind, title=str(title), detail=what_to_do)
    if in_admin and _is_organiser(request):
        with translation.override(request.user.language):  # type: ignore[union-attr]
            context = admin.site.each_context(request) | {"status": status, "title": title, "what_to_do": in_admin}
            return render(request, "admin/error.html", context, status=status)
    return render(request, "error.html", {"status": status, "title": title, "what_to_do": what_to_do}, status=status)


def _is_organiser(request: HttpRequest) -> bool:
    """Whether the page is one of the admin, asked for by somebody who works there."""
    user = getattr(request, "user", None)
    return request.path.startswith("/admin/") and user is not None and admin.site.has_permission(request)


@spoken
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: something in the request cannot be read."""
    return _error(
        request,
        status=400,
        kind="bad-request",
        title=_("This request cannot be read"),
        what_to_do=_("Go back, check what you entered, and try again."),
    )


@spoken
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: known, but not allowed."""
    return _error(
        request,
        status=403,
        kind="forbidden",
        title=gettext_lazy("You may not do this"),
        what_to_do=_("If you think you should be able to, ask the conference office."),
        in_admin=gettext_lazy(
            "Your roles do not allow it. Whoever looks after users at your office can give you a role that does; until"
            " then go on with another page."
        ),
    )


@spoken
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that does not come from our own page, or a page that was open for too long."""
    return _error(
        request,
        status=403,
        kind="form-expired",
        title=gettext_lazy("The form was open for too long"),
        what_to_do=_("Load the page again and send the form once more."),
        in_admin=gettext_lazy(
            "Nothing was saved. Go back, copy what you have written, load the page again and send the form once more."
        ),
    )


@spoken
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing here, or nothing for you; both look the same."""
    return _error(
        request,
        status=404,
        kind="not-found",
        title=gettext_lazy("There is no such page"),
        what_to_do=_("The address may be mistyped, or what it showed may be gone. Start from the list of conferences."),
        in_admin=gettext_lazy(
            "It may have been deleted, or belong to a conference that you do not look after. Search for it by its name"
            " or public id, or start from your conference."
        ),
    )


@spoken
def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """405: something is here, but not for this method. allowed: for the Allow header."""
    response = _error(
        request,
        status=405,
        kind="method-not-allowed",
        title=_("This cannot be done here"),
        what_to_do=(
            _("The Allow header of this answer names what can be done.")
            if wants_json(request)
            else _("This address only takes what a form sends. Go back and use the button on the page.")
        ),
    )
    response["Allow"] = allowed
    return response


@spoken
def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The page needs neither database nor cache."""
    return _error(
        request,
        status=500,
        kind="server-error",
        title=_("Something went wrong on our side"),
        what_to_do=(
            _(
                "Nothing you sent was half done. Go back, try again in a minute, and if it fails again tell whoever"
                " looks after the server at what time it was."
            )
            if request.path.startswith("/admin/")
            else _("Nothing you sent was half done. Try again in a minute.")
        ),
    )


@spoken
def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is away for a moment. Says when to come back."""
    response = _error(
        request,
        status=503,
        kind="unavailable",
        title=_("We are busy for a moment"),
        what_to_do=_("Nothing was lost. Try again in a few seconds; sending the same form twice does no harm."),
    )
    response["Retry-After"] = "5"
    return response
