"""Named filters of the list of registrations: a line above the list, and where its buttons lead."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext as _

from accounts.models import User
from alliance.admin import list_url
from alliance.exceptions import DomainError
from events import saved_filters
from registration.models import Registration

PAGE = "registration.registration"


def context(request: HttpRequest) -> dict[str, Any]:
    """What the list shows of them. One query."""
    here = saved_filters.without_words(request.GET.urlencode())
    return {
        "saved_filters": [
            {"name": one.name, "url": f"{list_url(Registration)}?{one.query}", "is_current": one.query == here}
            for one in saved_filters.of(cast("User", request.user), PAGE)
        ],
        "filter_to_save": here,
    }


def change(request: HttpRequest) -> HttpResponse:
    """Save the filter that is shown, or delete one by its name; back to the list."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user, name = cast("User", request.user), request.POST.get("name", "")
    query = saved_filters.without_words(request.POST.get("query", ""))
    if "delete" in request.POST:
        saved_filters.forget(user=user, page=PAGE, name=request.POST["delete"])
        messages.success(request, _("The saved filter is deleted."))
    else:
        try:
            saved_filters.save(user=user, page=PAGE, name=name, query=query)
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("The filter is saved."))
    return HttpResponseRedirect(f"{list_url(Registration)}?{query}")
