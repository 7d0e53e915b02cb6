"""Which members a reader gets: fewer by ?fields=, whole things instead of names by ?expand=.

Both take names from a list that the view allows; an expansion is one step deep and costs a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from alliance.problems import Fault, InvalidParameters

PARAMETERS = ("fields", "expand")
ALWAYS = "id"  # stays whatever ?fields= names: without it nothing can be found again

Needs = Sequence["str | Prefetch[Any]"]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A member that can be had whole.

    serializer: what it is then written with. needs: what must be fetched for it beyond the view's own queryset, given
    the instant of the request.
    """

    serializer: type[serializers.BaseSerializer[Any]]
    needs: Callable[[datetime], Needs] = lambda now: ()


Expansions = Mapping[str, Expansion]  # by the way to the member, such as contributions.organisation


@dataclass(frozen=True, slots=True)
class Shape:
    """What one request asked for. fields: None for all."""

    fields: frozenset[str] | None = None
    expand: tuple[str, ...] = ()

    def applied(self, serializer: serializers.BaseSerializer[Any], expansions: Expansions) -> None:
        """Make a serializer write this shape. serializer: of one row."""
        if not isinstance(serializer, serializers.Serializer):
            return
        for path in self.expand:
            owner: Any = serializer
            *way, name = path.split(".")
            for part in way:
                owner = owner.fields[part]
                owner = getattr(owner, "child", owner)
            before = owner.fields[name]
            source = {} if before.source == name else {"source": before.source}
            owner.fields[name] = expansions[path].serializer(read_only=True, **source)
        if self.fields is not None:
            for name in set(serializer.fields) - self.fields:
                del serializer.fields[name]

    def fetched(self, rows: QuerySet[Any], expansions: Expansions, *, now: datetime) -> QuerySet[Any]:
        """The queryset with what the expansions write."""
        needs = [need for path in self.expand for need in expansions[path].needs(now)]
        return rows.prefetch_related(*needs) if needs else rows


def read(request: Request, *, members: Callable[[], Iterable[str]], expansions: Expansions) -> Shape:
    """The shape that the parameters ask for. members: gives those of a row. Raises InvalidParameters."""
    fields, expand = (request.query_params.get(name) for name in PARAMETERS)
    if fields is None and expand is None:
        return Shape()
    faults: list[Fault] = []
    kept = frozenset({ALWAYS, *_names("fields", fields, members(), faults)}) if fields is not None else None
    whole = _names("expand", expand, expansions, faults) if expand is not None else []
    if faults:
        raise InvalidParameters(faults)
    return Shape(kept, tuple(path for path in whole if kept is None or path.partition(".")[0] in kept))


def _names(parameter: str, text: str, known: Iterable[str], faults: list[Fault]) -> list[str]:
    """The names in a parameter, each once; those that are not known become a fault."""
    known = list(known)
    found = list(dict.fromkeys(name.strip() for name in text.split(",")))
    if not set(found) <= set(known):
        shown = ", ".join(known) or _("none")
        expected = _("Expected names with commas between them, out of: %(names)s.") % {"names": shown}
        faults.append(Fault("query", parameter, expected))
    return found


def parameters(members: Iterable[str], expansions: Expansions) -> list[OpenApiParameter]:
    """Both parameters as OpenAPI tells them."""

    def described(name: str, description: str, known: Iterable[str]) -> OpenApiParameter:
        items = {"type": "string", "enum": list(known)}
        names: Any = {"type": "array", "items": items, "minItems": 1}
        return OpenApiParameter(name, names, style="form", explode=False, description=description)

    found = [described("fields", "Only these members, and the id.", members)]
    if expansions:
        found.append(described("expand", "These members whole instead of by name.", expansions))
    return found
