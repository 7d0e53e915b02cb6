"""Filters beside lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin


def named(name_of: Callable[[str], str]) -> type[admin.AllValuesFieldListFilter]:
    """A filter by the values that a field has in the list's rows, each under its name, in the order of the names."""

    class NamedValues(admin.AllValuesFieldListFilter):
        """All, then each value."""

        def choices(self, changelist: Any) -> Iterator[Any]:
            """As Django's, with names for codes."""
            everything, *values = super().choices(changelist)
            yield everything
            told = [{**one, "display": name_of(str(one["display"]))} for one in values]
            yield from sorted(told, key=lambda one: str(one["display"]).casefold())

    return NamedValues
