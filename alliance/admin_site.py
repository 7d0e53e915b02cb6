"""The frame around the organisers' admin: our order of things, the organiser's language, what apps say on each page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from alliance import languages
from alliance.admin import search, undo


class FrameSource(Protocol):
    """Adds values to the context of every admin page, in a constant number of queries."""

    def __call__(self, request: HttpRequest, *, now: datetime) -> dict[str, Any]: ...


_frame_sources: list[FrameSource] = []


def add_to_frame(source: FrameSource) -> None:
    """Let an app say something on every admin page. To be called in AppConfig.ready."""
    _frame_sources.append(source)


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before the lists on the front page: links in words; only: where it leads to instead, or empty.

    first: where the first thing is made that could be linked, for whoever may.
    """

    links: list[tuple[str, str]]
    only: str = ""
    first: str = ""


_front: list[Callable[[HttpRequest], Front]] = []


def set_front(source: Callable[[HttpRequest], Front]) -> None:
    """Let an app say what comes first on the front page. To be called when its admin is imported."""
    _front[:] = [source]


class _Autocomplete(AutocompleteJsonView):
    """Search results in the words of the found model's admin."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """Call rows by the names their admin has for them."""
        label = getattr(self.model_admin, "label_of", str)
        return {"id": str(getattr(obj, to_field_name)), "text": label(obj)}


class HouseSite(admin.AdminSite):
    """The admin's frame: our order of things, the organiser's language, and a warning when nothing leaves the house."""

    site_title = gettext_lazy("Alliance")
    site_header = gettext_lazy("Conference office")
    index_title = gettext_lazy("What do you want to look after?")
    enable_nav_sidebar = False  # beside the bar of the conference it took a fifth of the page to say the same
    app_order = ("events", "speakers", "registration", "video", "outbox", "accounts", "auth")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one page to sign in for the whole house; who has done so and may not come in is told."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            return render(request, "account/no_access.html", status=403)
        after = request.GET.get("next") or reverse("admin:index")
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': after})}")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Where everybody changes theirs."""
        return cast("TemplateResponse", HttpResponseRedirect(reverse("account_change_password")))

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and whoever has a role."""
        user: Any = request.user
        return bool(user.is_authenticated and user.may_open_admin())

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Apps in the order of work; models in the order in which they were registered."""
        registered = [model._meta.object_name for model in self._registry]
        apps = super().get_app_list(request, app_label)
        people = next((app for app in apps if app["app_label"] == "accounts"), None)
        groups = next((app for app in apps if app["app_label"] == "auth"), None)
        if people is not None and groups is not None:  # Django's own app, which says "authentication and authorization"
            people["models"] += groups["models"]
            apps.remove(groups)
        for app in apps:
            app["models"].sort(key=lambda entry: registered.index(entry["object_name"]))
        places = {label: place for place, label in enumerate(self.app_order)}
        return sorted(apps, key=lambda app: places.get(app["app_label"], len(places)))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page in the language the user chose."""

        def in_their_language(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated:
                translation.activate(request.user.language)
                request.LANGUAGE_CODE = request.user.language
            if any("\0" in value for values in request.GET.lists() for value in [values[0], *values[1]]):
                raise BadRequest  # no page of ours has such an address, and PostgreSQL would choke on it
            try:
                answer: HttpResponseBase = view(request, *args, **kwargs)
            except DataError as error:  # what was sent may hold one, too; reading it here would be before its uploads
                if "NUL" not in str(error) and "\\u0000" not in str(error):
                    raise
                raise BadRequest from error
            return answer

        return super().admin_view(in_their_language, cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The front page: conferences, then all lists. Who looks after one conference begins there; ?all stays here."""
        front = _front[0](request) if _front else Front([])
        if front.only and "all" not in request.GET:
            return cast("TemplateResponse", HttpResponseRedirect(front.only))
        shown = {"front_links": front.links, "first_conference_url": front.first}
        return super().index(request, (extra_context or {}) | shown)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the choice of language."""
        return [
            path("search/", self.admin_view(search.page), name="search"),
            path("undo/", self.admin_view(require_POST(undo.take_back)), name="undo"),
            path("language/", self.admin_view(require_POST(self.choose_language)), name="language"),
            path("r/<int:content_type_id>/<path:object_id>/", self.admin_view(self.view_on_site), name="view_on_site"),
            *super().get_urls(),
        ]

    def view_on_site(self, request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponse:
        """To the public page of a row, for those who may see the row."""
        kind = ContentType.objects.filter(pk=content_type_id).first() if content_type_id < 2**31 else None
        model_admin = self._registry.get(cast("Any", kind and kind.model_class()))
        if model_admin is None or model_admin.get_object(request, object_id) is None:
            raise Http404
        return cast("HttpResponse", shortcut(request, content_type_id, object_id))

    def choose_language(self, request: HttpRequest) -> HttpResponse:
        """Remember the language a user wants to work in."""
        wanted = request.POST.get("language", "")
        if wanted in languages.codes() and request.user.is_authenticated:
            request.user.language = wanted
            request.user.save(update_fields=["language"])
        back = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
            back = reverse("admin:index")
        return HttpResponseRedirect(back)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Search results for selects."""
        return cast("HttpResponse", _Autocomplete.as_view(admin_site=self)(request))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what the apps have to say on every page, such as how mail is doing."""
        context = super().each_context(request)
        if context["has_permission"]:
            for source in _frame_sources:
                context |= source(request, now=timezone.now())
        return context
