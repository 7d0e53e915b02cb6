"""Pages by cursor.

A cursor holds the sort keys of the last row that was seen, not a number of rows: a row that comes or goes elsewhere
neither repeats nor hides another one. Unknown values stand last in either direction. The tie is broken by the public
id; serial numbers never leave the house. Cursors are signed, so whatever comes back is either ours or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import BigIntegerField, DateField, DateTimeField, Expression, F, Model, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from alliance.problems import Fault, InvalidParameters

Kind = Literal["instant", "date", "number", "text", "id"]

_EXTREMES: Mapping[str, tuple[Value, Value]] = {
    "instant": (
        Value(datetime(1000, 1, 1, tzinfo=UTC), DateTimeField()),
        Value(datetime(9000, 1, 1, tzinfo=UTC), DateTimeField()),
    ),
    "date": (Value(date(1000, 1, 1), DateField()), Value(date(9000, 1, 1), DateField())),
    "number": (Value(-1, BigIntegerField()), Value(2_000_000_000, BigIntegerField())),
}
_READ: Mapping[str, Callable[[Any], object]] = {
    "instant": datetime.fromisoformat,
    "date": date.fromisoformat,
    "number": int,
    "text": str,
    "id": UUID,
}


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key: a field path, or an annotation of the view's queryset."""

    path: str
    kind: Kind
    descending: bool = False

    def expression(self) -> Expression | F:
        """The value to sort by; an unknown one becomes the extreme that comes last."""
        if self.kind in _EXTREMES:
            least, most = _EXTREMES[self.kind]
            last = least if self.descending else most
            # The type of the extreme, not of the field: no lookup may think a small field cannot hold it.
            return Coalesce(F(self.path), last, output_field=last.output_field)
        return F(self.path)


def _write(key: Key, value: Any) -> str | int:
    """A sort key as JSON can hold it; _READ is the way back."""
    if key.kind in {"instant", "date"}:
        return str(value.isoformat())
    return int(value) if key.kind == "number" else str(value)


Ordering = tuple[Key, ...]
_LAST_KEY = Key("public_id", "id")


@dataclass(frozen=True, slots=True)
class _Cursor:
    ordering: str
    backwards: bool
    position: tuple[object, ...]


def _beyond(keys: Sequence[Key], position: Sequence[object], *, backwards: bool) -> Q:
    """Rows after the position (or before it): the comparison of whole key tuples, spelled out for mixed directions."""
    condition = Q()
    for number, key in reversed(list(enumerate(keys))):
        lookup = "lt" if key.descending != backwards else "gt"
        here = Q(**{f"sort{number}__{lookup}": position[number]})
        condition = here | (Q(**{f"sort{number}": position[number]}) & condition) if condition else here
    return condition


class Pages(BasePagination):
    """Pages of 50 rows, or page_size (1 to 200), in one of the view's orderings."""

    page_size = 50
    most = 200
    parameters = ("cursor", "page_size", "ordering")

    def __init__(self) -> None:
        self.next: str | None = None
        self.previous: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page. queryset: one of rows with a public_id. Raises InvalidParameters."""
        orderings: Mapping[str, Ordering] = view.orderings
        ordering = self._ordering(request, orderings)
        size = self._size(request)
        cursor = self._cursor(request, ordering, orderings)
        keys = (*orderings[ordering], _LAST_KEY)
        backwards = cursor is not None and cursor.backwards

        queryset = queryset.annotate(**{f"sort{n}": key.expression() for n, key in enumerate(keys)})
        if cursor is not None:
            queryset = queryset.filter(_beyond(keys, cursor.position, backwards=backwards))
        order = [f"{'-' if key.descending != backwards else ''}sort{n}" for n, key in enumerate(keys)]
        rows = list(queryset.order_by(*order)[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()

        if rows and (more if not backwards else True):
            self.next = self._address(request, ordering, keys, rows[-1], backwards=False)
        if rows and (more if backwards else cursor is not None):
            self.previous = self._address(request, ordering, keys, rows[0], backwards=True)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page with the addresses of its neighbours."""
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def _ordering(self, request: Request, orderings: Mapping[str, Ordering]) -> str:
        name = request.query_params.get("ordering") or next(iter(orderings))
        if name not in orderings:
            expected = _("Expected one of: %(choices)s.") % {"choices": ", ".join(orderings)}
            raise InvalidParameters([Fault("query", "ordering", expected)])
        return name

    def _size(self, request: Request) -> int:
        text = request.query_params.get("page_size", str(self.page_size))
        if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= self.most:
            expected = _("Expected a whole number from 1 to %(most)s.") % {"most": self.most}
            raise InvalidParameters([Fault("query", "page_size", expected)])
        return int(text)

    def _cursor(self, request: Request, ordering: str, orderings: Mapping[str, Ordering]) -> _Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        try:
            name, backwards, values = signing.Signer(salt="api-cursor").unsign_object(text)
            keys = (*orderings[name], _LAST_KEY)
            if name != ordering or len(values) != len(keys):
                raise signing.BadSignature
            position = tuple(_READ[key.kind](value) for key, value in zip(keys, values, strict=True))
        except (signing.BadSignature, KeyError, ValueError, TypeError) as error:
            expected = _("Expected the cursor of a next or previous address, unchanged, with the same ordering.")
            raise InvalidParameters([Fault("query", "cursor", expected)]) from error
        return _Cursor(name, bool(backwards), position)

    def _address(self, request: Request, ordering: str, keys: Sequence[Key], row: Model, *, backwards: bool) -> str:
        values = [_write(key, getattr(row, f"sort{number}")) for number, key in enumerate(keys)]
        # No time stamp in the signature: the same page must have the same bytes, and so the same ETag.
        cursor = signing.Signer(salt="api-cursor").sign_object([ordering, backwards, values])
        parameters = request.query_params.copy()
        parameters["cursor"] = cursor
        # The public address, not the Host header: answers are kept and given to others.
        return f"{settings.SITE_URL}{request.path}?{parameters.urlencode()}"

    # --- for the schema ---------------------------------------------------------------------------------------------

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, object]]:
        """The parameters that page a list."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "From the next or previous address of another page; opaque.",
                "schema": {"type": "string", "minLength": 1},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.page_size},
            },
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "The order of the rows; unknown values come last.",
                "schema": {"type": "string", "enum": list(view.orderings), "default": next(iter(view.orderings))},
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, object]) -> dict[str, object]:
        """The shape of a page."""
        neighbour = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**neighbour, "description": "Address of the next page; null on the last one."},
                "previous": {**neighbour, "description": "Address of the page before; null on the first one."},
                "results": schema,
            },
        }
