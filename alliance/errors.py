"""Error pages: what happened, what to do, in the reader's language; as a problem document where a program asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from alliance import languages


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: the API answers RFC 9457 problem documents, pages answer HTML."""
    return request.path.startswith("/api/")


PROBLEM_TYPE = "application/problem+json"


def document(*, status: int, kind: str, title: str, detail: str = "", **more: object) -> dict[str, object]:
    """The members of an RFC 9457 problem document. kind: the stable name behind the type."""
    return {"type": f"urn:alliance:problem:{kind}", "title": title, "status": status, "detail": detail, **more}


def problem(*, status: int, kind: str, title: str, detail: str = "", **more: object) -> JsonResponse:
    """A problem document as an answer."""
    body = document(status=status, kind=kind, title=title, detail=detail, **more)
    return JsonResponse(body, status=status, content_type=PROBLEM_TYPE)


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


class Said(NamedTuple):
    """An error in words. kind: stable, for programs. in_admin: what organisers can do, where the admin knows better."""

    status: int
    kind: str
    title: Promise
    what_to_do: Promise
    in_admin: Promise | None = None


BAD_REQUEST = Said(
    400,
    "bad-request",
    gettext_lazy("This request cannot be read"),
    gettext_lazy("Go back, check what you entered, and try again."),
)
FORBIDDEN = Said(
    403,
    "forbidden",
    gettext_lazy("You may not do this"),
    gettext_lazy("If you think you should be able to, ask the conference office."),
    in_admin=gettext_lazy(
        "Your roles do not allow it. Whoever looks after users at your office can give you a role that does; until"
        " then go on with another page."
    ),
)
FORM_EXPIRED = Said(
    403,
    "form-expired",
    gettext_lazy("The form was open for too long"),
    gettext_lazy("Load the page again and send the form once more."),
    in_admin=gettext_lazy(
        "Nothing was saved. Go back, copy what you have written, load the page again and send the form once more."
    ),
)
NOT_FOUND = Said(
    404,
    "not-found",
    gettext_lazy("There is no such page"),
    gettext_lazy("The address may be mistyped, or what it showed may be gone. Start from the list of conferences."),
    in_admin=gettext_lazy(
        "It may have been deleted, or belong to a conference that you do not look after. Search for it by its name"
        " or public id, or start from your conference."
    ),
)
METHOD_NOT_ALLOWED = Said(
    405,
    "method-not-allowed",
    gettext_lazy("This cannot be done here"),
    gettext_lazy("This address only takes what a form sends. Go back and use the button on the page."),
)
LENGTH_REQUIRED = Said(
    411,
    "length-required",
    BAD_REQUEST.title,
    gettext_lazy("Say how long it is: send it with the header Content-Length."),
)
SERVER_ERROR = Said(
    500,
    "server-error",
    gettext_lazy("Something went wrong on our side"),
    gettext_lazy("Nothing you sent was half done. Try again in a minute."),
)
UNAVAILABLE = Said(
    503,
    "unavailable",
    gettext_lazy("We are busy for a moment"),
    gettext_lazy("Nothing was lost. Try again in a few seconds; sending the same form twice does no harm."),
)


@spoken
def _answer(request: HttpRequest, said: Said) -> HttpResponse:
    """The error as a problem document, as a page of the admin, or as a page."""
    if wants_json(request):
        return problem(status=said.status, kind=said.kind, title=str(said.title), detail=str(said.what_to_do))
    shown = {"status": said.status, "title": said.title, "what_to_do": said.what_to_do}
    if said.in_admin and _is_organiser(request):
        with translation.override(request.user.language):  # type: ignore[union-attr]
            context = admin.site.each_context(request) | shown | {"what_to_do": said.in_admin}
            return render(request, "admin/error.html", context, status=said.status)
    return render(request, "error.html", shown, status=said.status)


def _is_organiser(request: HttpRequest) -> bool:
    """Whether the page is one of the admin, asked for by somebody who works there."""
    user = getattr(request, "user", None)
    return request.path.startswith("/admin/") and user is not None and admin.site.has_permission(request)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: something in the request cannot be read."""
    return _answer(request, BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: known, but not allowed."""
    return _answer(request, FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that does not come from our own page, or a page that was open for too long."""
    return _answer(request, FORM_EXPIRED)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing here, or nothing for you; both look the same."""
    return _answer(request, NOT_FOUND)


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """405: something is here, but not for this method. allowed: for the Allow header."""
    said = METHOD_NOT_ALLOWED
    if wants_json(request):
        said = said._replace(what_to_do=gettext_lazy("The Allow header of this answer names what can be done."))
    response = _answer(request, said)
    response["Allow"] = allowed
    return response


def length_required(request: HttpRequest) -> HttpResponse:
    """411: something is sent and does not say how much."""
    return _answer(request, LENGTH_REQUIRED)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The page needs neither database nor cache."""
    said = SERVER_ERROR
    if request.path.startswith("/admin/"):
        said = said._replace(
            what_to_do=gettext_lazy(
                "Nothing you sent was half done. Go back, try again in a minute, and if it fails again tell whoever"
                " looks after the server at what time it was."
            )
        )
    return _answer(request, said)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is away for a moment. Says when to come back."""
    response = _answer(request, UNAVAILABLE)
    response["Retry-After"] = "5"
    return response
