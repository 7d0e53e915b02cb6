"""One search over everything an organiser may see: apps bring what they find, each in a fixed number of queries.

Nobody is found by an address: what leads from an address to an alias must not exist here (docs/design.md 4.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from alliance.admin.lists import list_url, row_url
from alliance.admin.scope import own_rows, rights

SHORTEST, LONGEST = 2, 100  # letters
MOST = 10  # of each kind; the list behind it has the rest


@dataclass(frozen=True, slots=True)
class Hit:
    """One row: its name, its page, and words that tell it from others of the name."""

    label: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one kind. more_url: the list with all of them; empty when these are all."""

    title: str | Promise
    hits: list[Hit]
    more_url: str = ""


Source = Callable[[HttpRequest, str], Found]
_sources: dict[str, tuple[int, Source]] = {}


def register(name: str, order: int, source: Source) -> None:
    """Make a source known. It gets text without "@", SHORTEST to LONGEST letters, and returns what the user may see."""
    _sources[name] = (order, source)


def visible(request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Those rows that the user may see."""
    return own_rows(request, rows, *rights(rows.model._meta, "view", "change"))


def contains(fields: Iterable[str], text: str) -> models.Q:
    """One of the fields holds the text, in capitals or not."""
    found = models.Q()
    for field in fields:
        found |= models.Q(**{f"{field}__icontains": text})
    return found


def found(
    title: str | Promise, rows: models.QuerySet[Any], text: str, hit: Callable[[Any], Hit | tuple[str, str]]
) -> Found:
    """The first rows as hits. hit: makes one of a row, or gives its name and its detail."""
    first = list(rows[: MOST + 1])
    made = [(row, hit(row)) for row in first[:MOST]]
    hits = [one if isinstance(one, Hit) else Hit(one[0], row_url(row), one[1]) for row, one in made]
    more = f"{list_url(rows.model)}?{urlencode({'q': text})}" if len(first) > MOST else ""
    return Found(title, hits, more)


def page(request: HttpRequest) -> HttpResponse:
    """What is found, by kind."""
    text = " ".join(request.GET.get("q", "").split())[:LONGEST]
    is_address = "@" in text
    groups: list[Found] = []
    if len(text) >= SHORTEST and not is_address:
        groups = [source(request, text) for _order, source in sorted(_sources.values(), key=lambda one: one[0])]
    context = {
        **admin.site.each_context(request),
        "title": _("Search"),
        "text": text,
        "groups": [group for group in groups if group.hits],
        "is_address": is_address,
        "is_short": 0 < len(text) < SHORTEST,
    }
    return TemplateResponse(request, "admin/search.html", context)
