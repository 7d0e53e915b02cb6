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

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from alliance.admin import refuse
from events.models import Conference

PageView = Callable[..., HttpResponse]  # view(request, conference, **what the route captures)


class Group(IntEnum):
    """What pages are looked for under, in the order of the bar. Those of START stand in it by themselves."""

    START = 0
    PROGRAMME = 1
    PUBLISHING = 2
    REGISTRATION = 3
    PEOPLE = 4
    DELEGATIONS = 5
    COMMUNICATION = 6
    FIGURES = 7
    MORE = 8


GROUP_LABELS: dict[Group, str | Promise] = {
    Group.START: gettext_lazy("Start"),
    Group.PROGRAMME: gettext_lazy("Programme"),
    Group.PUBLISHING: gettext_lazy("Publishing"),
    Group.REGISTRATION: gettext_lazy("Registration"),
    Group.PEOPLE: gettext_lazy("People"),
    Group.DELEGATIONS: gettext_lazy("Delegations"),
    Group.COMMUNICATION: gettext_lazy("Communication"),
    Group.FIGURES: gettext_lazy("Figures"),
    Group.MORE: gettext_lazy("More"),
}


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
    group: Group = Group.MORE


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


def register(
    name: str,
    view: PageView,
    *,
    permission: str,
    label: str | Promise = "",
    route: str | None = None,
    order: int = 50,
    of: str = "",
    group: Group = Group.MORE,
) -> None:
    """Give conferences a page. See ConferencePage; the route is the name and a slash unless it is given.

    The view gets the request and the conference, after the permission was checked; times are on the venue's clock.
    Raises ValueError when another view has the name.
    """
    known = _pages.get(name)
    if known is not None and known.view is not view:
        raise ValueError(f"the page {name} is registered already")
    _pages[name] = ConferencePage(
        name, f"{name}/" if route is None else route, view, permission, label, order, of, group
    )


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


def tabs(request: HttpRequest, conference: Conference, current: str = "") -> list[dict[str, object]]:
    """Every page of the conference that the user may open, in the order of the bar; the form stands after the start.

    current: the name of the page shown; empty for the form.
    """
    page = _pages.get(current)
    current = page.of or current if page is not None else current
    found: list[dict[str, object]] = [
        {
            "label": page.label,
            "url": url(page.name, conference),
            "is_current": page.name == current,
            "group": page.group,
        }
        for page in sorted(_pages.values(), key=lambda page: (page.group, page.order, page.name))
        if page.label and request.user.has_perm(page.permission, conference)
    ]
    if any(request.user.has_perm(f"events.{what}_conference", conference) for what in ("view", "change")):
        form = reverse("admin:events_conference_change", args=[conference.pk])
        place = sum(tab["group"] == Group.START for tab in found)
        tab = {"label": _("Conference"), "url": form, "is_current": not current, "group": Group.START}
        found.insert(place, tab)
    return found


def bar(links: Iterable[dict[str, object]]) -> list[Bar]:
    """The same in groups: what belongs to the start by itself, the others as lists."""
    found: list[Bar] = []
    for group, within in groupby(links, key=lambda link: cast("Group", link["group"])):
        own = list(within)
        parts = [[link] for link in own] if group == Group.START else [own]
        for part in parts:
            label = cast("str", part[0]["label"]) if len(part) == 1 else GROUP_LABELS[group]
            found.append(Bar(label, part, any(link["is_current"] for link in part)))
    return found


def in_bar(request: HttpRequest, conference: Conference, current: str = "") -> dict[str, Any]:
    """What the template of the bar needs."""
    links = tabs(request, conference, current)
    return {"conference_pages": links, "conference_bar": bar(links)}


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
