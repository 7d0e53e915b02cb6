"""Pages of a conference beside its form: the programme, checks, releases, files. Each is a tab on all of them.

Whoever has such a page registers it when its module is imported; events.admin imports those of this app at its end,
other apps register from their own admin module. A page without a label has an address but no tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import conference_key
from accounts.models import User
from alliance.admin import list_url, refuse
from events.models import Conference

FORM = "form"  # the conference's own form, among the names of pages
PageView = Callable[..., HttpResponse]  # view(request, conference, **what the route captures)


class Group(IntEnum):
    """What pages are looked for under, in the order of the bar."""

    START = 0
    PROGRAMME = 1
    REGISTRATION = 2
    MESSAGES = 3
    DAY = 4
    SAFETY = 5
    CONFERENCE = 6


GROUP_LABELS: dict[Group, str | Promise] = {
    Group.START: gettext_lazy("Start"),
    Group.PROGRAMME: gettext_lazy("Programme"),
    Group.REGISTRATION: gettext_lazy("Registration"),
    Group.MESSAGES: gettext_lazy("Messages"),
    Group.DAY: gettext_lazy("On the day"),
    Group.SAFETY: gettext_lazy("Safety"),
    Group.CONFERENCE: gettext_lazy("Conference"),
}
_FORM_ORDER = 0  # of the conference's own form, in its group


@dataclass(frozen=True, slots=True)
class ConferencePage:
    """A page of a conference. name: the URL's name is admin:events_conference_<name>.

    route: what follows /admin/events/conference/<id>/. permission: without it at the conference the page is 403 and has
    no tab. Who has nothing to do with the conference finds no such page.
    group, order: the place in the bar. A page without a label is not in it; `of` names the one that stands out while
    it is shown.
    """

    name: str
    route: str
    view: PageView
    permission: str
    label: str | Promise = ""
    order: int = 50
    of: str = ""
    group: Group = Group.CONFERENCE


@dataclass(frozen=True, slots=True)
class ConferenceList:
    """Rows of a model that belong to a conference: their list and forms show the bar, too.

    lookup: the list's filter, such as "conference__id__exact". label, order, group, of: see ConferencePage.
    """

    name: str
    model: type[models.Model]
    lookup: str
    label: str | Promise = ""
    order: int = 50
    of: str = ""
    group: Group = Group.CONFERENCE

    @property
    def permissions(self) -> list[str]:
        """One of them lets somebody look at the list."""
        return [f"{self.model._meta.app_label}.{what}_{self.model._meta.model_name}" for what in ("view", "change")]

    def url(self, conference: Conference) -> str:
        """The list of those of the conference."""
        return f"{list_url(self.model)}?{urlencode({self.lookup: conference.pk})}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One group of the bar with its links, as the template shows it."""

    label: str | Promise
    links: list[dict[str, object]]
    is_current: bool

    @property
    def is_single(self) -> bool:
        """Whether it is a link and not a list."""
        return len(self.links) == 1


_pages: dict[str, ConferencePage] = {}
_lists: dict[str, ConferenceList] = {}


def register(
    name: str,
    view: PageView,
    *,
    permission: str,
    label: str | Promise = "",
    route: str | None = None,
    order: int = 50,
    of: str = "",
    group: Group = Group.CONFERENCE,
) -> None:
    """Give conferences a page. See ConferencePage; the route is the name and a slash unless it is given.

    The view gets the request and the conference, after the permission was checked; times are on the venue's clock.
    Raises ValueError when another view has the name.
    """
    known = _pages.get(name)
    if (known is not None and known.view is not view) or name in _lists:
        raise ValueError(f"the page {name} is registered already")
    _pages[name] = ConferencePage(
        name, f"{name}/" if route is None else route, view, permission, label, order, of, group
    )


def register_list(
    name: str,
    model: type[models.Model],
    lookup: str,
    *,
    label: str | Promise = "",
    order: int = 50,
    of: str = "",
    group: Group = Group.CONFERENCE,
) -> None:
    """Put the list of a model into the bar, and the bar on its list and forms. See ConferenceList.

    Raises ValueError when a page has the name.
    """
    if name in _pages:
        raise ValueError(f"a page is called {name}")
    _lists[name] = ConferenceList(name, model, lookup, label, order, of, group)


def url(name: str, conference: Conference, **captured: object) -> str:
    """The address of a page of the conference."""
    return reverse(f"admin:events_conference_{name}", kwargs={"conference_id": conference.pk, **captured})


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of all pages, for the conference's admin."""
    return [
        path(f"<int:conference_id>/{page.route}", site.admin_view(_opened(page)), name=f"events_conference_{page.name}")
        for page in _pages.values()
    ]


def _opened(page: ConferencePage) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, conference_id: int, **captured: Any) -> HttpResponse:
        user = cast("User", request.user)
        conference = Conference.objects.filter(pk=conference_id).first() if conference_id < 2**63 else None
        if (conference is None and user.has_perm(page.permission)) or not user.access.knows(conference_id):
            raise Http404
        if conference is None or not user.has_perm(page.permission, conference):
            refuse(request, page.name)
            raise Http404
        with timezone.override(conference.zone):
            response = page.view(request, conference, **captured)
            if isinstance(response, TemplateResponse):
                response.render()  # here, while the clock is right
        return response

    return view


def tabs(request: HttpRequest, conference: Conference, current: str = FORM) -> list[dict[str, object]]:
    """Every page and list of the conference that the user may open, in the order of the bar.

    current: the name of the page or list shown.
    """
    shown = _pages.get(current) or _lists.get(current)
    current = shown.of or current if shown is not None else current
    may = request.user.has_perm
    found: list[tuple[Group, int, str, str | Promise, str]] = [
        (page.group, page.order, page.name, page.label, url(page.name, conference))
        for page in _pages.values()
        if page.label and may(page.permission, conference)
    ]
    found += [
        (one.group, one.order, one.name, one.label, one.url(conference))
        for one in _lists.values()
        if one.label and any(may(permission, conference) for permission in one.permissions)
    ]
    if any(may(f"events.{what}_conference", conference) for what in ("view", "change")):
        form = reverse("admin:events_conference_change", args=[conference.pk])
        found.append((Group.CONFERENCE, _FORM_ORDER, FORM, _("Settings"), form))
    return [
        {"label": label, "url": address, "is_current": name == current, "group": group}
        for group, _order, name, label, address in sorted(found, key=lambda one: one[:3])
    ]


def bar(links: Iterable[dict[str, object]]) -> list[Bar]:
    """The same in groups. A group of one page is called by it."""
    found: list[Bar] = []
    for group, within in groupby(links, key=lambda link: cast("Group", link["group"])):
        own = list(within)
        label = cast("str", own[0]["label"]) if len(own) == 1 else GROUP_LABELS[group]
        found.append(Bar(label, own, any(link["is_current"] for link in own)))
    return found


def in_bar(request: HttpRequest, conference: Conference, current: str = FORM) -> dict[str, Any]:
    """What the template of the bar needs."""
    links = tabs(request, conference, current)
    return {"conference_pages": links, "conference_bar": bar(links)}


def around(request: HttpRequest, model: type[models.Model], row: models.Model | None) -> dict[str, Any]:
    """What the bar needs on lists and forms of a model: empty where nobody can tell which conference it is about.

    row: what the form shows; None on lists and empty forms, whose filter tells.
    """
    own = next((one for one in _lists.values() if one.model is model), None)
    if isinstance(row, Conference):
        return in_bar(request, row)
    conference = _meant(request, own, row)
    if conference is None:
        return {}
    return in_bar(request, conference, own.name if own is not None else "-") | {"bar_of": conference}


def _meant(request: HttpRequest, own: ConferenceList | None, row: models.Model | None) -> Conference | None:
    access = cast("User", request.user).access
    key = conference_key(row) if row is not None else None
    if key is None and own is not None:
        query = dict(parse_qsl(request.GET.get("_changelist_filters", ""))) | request.GET.dict()
        typed = query.get(own.lookup, query.get("conference", ""))
        key = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 18 else None
    if key is None and len(access.at) == 1 and not access.everywhere:
        key = next(iter(access.at))  # whoever looks after one conference is never anywhere else
    return Conference.objects.filter(pk=key).first() if key is not None and access.knows(key) else None


def context(request: HttpRequest, conference: Conference, name: str, title: str | Promise) -> dict[str, Any]:
    """What templates that extend admin/events/conference_page.html need. name: the page's own, for the tab bar."""
    return {
        **admin.site.each_context(request),
        "opts": Conference._meta,
        "conference": conference,
        "title": title,
        "subtitle": conference.title,
        **in_bar(request, conference, name),
        "conference_page": name,
    }
