"""Error pages: what happened, what to do, in the reader's language; as a problem document where a program asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: the API answers RFC 9457 problem documents, pages answer HTML."""
    return request.path.startswith("/api/")


def problem(*, status: int, kind: str, title: str, detail: str = "", **more: object) -> JsonResponse:
    """An RFC 9457 problem document. kind: the stable name behind the type."""
    body = {"type": f"urn:alliance:problem:{kind}", "title": title, "status": status, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _error(request: HttpRequest, *, status: int, kind: str, title: str, what_to_do: str) -> HttpResponse:
    if wants_json(request):
        return problem(status=status, kind=kind, title=title, detail=what_to_do)
    return render(request, "error.html", {"status": status, "title": title, "what_to_do": what_to_do}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: something in the request cannot be read."""
    return _error(
        request,
        status=400,
        kind="bad-request",
        title=_("This request cannot be read"),
        what_to_do=_("Go back, check what you entered, and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: known, but not allowed."""
    return _error(
        request,
        status=403,
        kind="forbidden",
        title=_("You may not do this"),
        what_to_do=_("If you think you should be able to, ask the conference office."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that does not come from our own page, or a page that was open for too long."""
    return _error(
        request,
        status=403,
        kind="form-expired",
        title=_("The form was open for too long"),
        what_to_do=_("Load the page again and send the form once more."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing here, or nothing for you; both look the same."""
    return _error(
        request,
        status=404,
        kind="not-found",
        title=_("There is no such page"),
        what_to_do=_("The address may be mistyped, or what it showed may be gone. Start from the list of conferences."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The page needs neither database nor cache."""
    return _error(
        request,
        status=500,
        kind="server-error",
        title=_("Something went wrong on our side"),
        what_to_do=_("Nothing you sent was half done. Try again in a minute."),
    )


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
