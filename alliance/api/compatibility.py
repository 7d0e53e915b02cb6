"""What in a new version of the API would break a program that was written for the one before.

Two OpenAPI documents are compared the way a client sees them: what it sends may be taken less strictly and not more;
what it gets may hold more and not less. New addresses, members and parameters are fine; the codes that an answer may
hold may grow, as docs/api.md says.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch")
_TIGHTER_WHEN_LOWER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_TIGHTER_WHEN_HIGHER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_DEEPEST = 12  # members inside members


def breaks(old: Json, new: Json) -> list[str]:
    """Every break, in words for developers; none when old clients go on working."""
    return [*_Comparison(old, new).operations()]


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self.old, self.new = old, new

    def operations(self) -> Iterator[str]:
        for path, item in self.old["paths"].items():
            for method in _METHODS:
                if method in item:
                    where = f"{method.upper()} {path}"
                    now = self.new["paths"].get(path, {}).get(method)
                    if now is None:
                        yield f"{where} is gone"
                    else:
                        yield from self._operation(where, item[method], now)

    def _operation(self, where: str, old: Json, new: Json) -> Iterator[str]:
        if {} in old.get("security", [{}]) and {} not in new.get("security", [{}]):
            yield f"{where} needs a token now"
        yield from self._parameters(where, old, new)
        yield from self._bodies(f"{where} body", old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status.startswith("2"):
                now = new["responses"].get(status)
                if now is None:
                    yield f"{where} answers {status} no more"
                    continue
                yield from self._content(f"{where} {status}", answer, now, is_sent=False)

    def _parameters(self, where: str, old: Json, new: Json) -> Iterator[str]:
        before = {(one["in"], one["name"]): one for one in old.get("parameters", ())}
        after = {(one["in"], one["name"]): one for one in new.get("parameters", ())}
        for key, one in before.items():
            place = f"{where} {key[0]} {key[1]}"
            if key not in after:
                yield f"{place} is gone"
                continue
            if after[key].get("required") and not one.get("required"):
                yield f"{place} is required now"
            yield from self._schemas(place, one["schema"], after[key]["schema"], is_sent=True)
        for key, one in after.items():
            if key not in before and one.get("required"):
                yield f"{where} {key[0]} {key[1]} is new and required"

    def _bodies(self, where: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if new is not None and new.get("required") and not (old or {}).get("required"):
            yield f"{where} is required now"
        if old is not None:
            yield from self._content(where, old, new or {}, is_sent=True)

    def _content(self, where: str, old: Json, new: Json, *, is_sent: bool) -> Iterator[str]:
        for kind, content in old.get("content", {}).items():
            now = new.get("content", {}).get(kind)
            if now is None:
                yield f"{where} {kind} is gone"
            else:
                yield from self._schemas(where, content.get("schema", {}), now.get("schema", {}), is_sent=is_sent)

    def _schemas(self, where: str, old: Json, new: Json, *, is_sent: bool, depth: int = 0) -> Iterator[str]:
        """is_sent: by the client, so it must not be narrower; else it must not be wider or hold less."""
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        if depth > _DEEPEST or old == new == {}:
            return
        before, after = _types(old), _types(new)
        narrow, wide = (after, before) if is_sent else (before, after)
        if narrow and (missing := wide - narrow if wide else {"anything"}):
            kinds = ", ".join(sorted(missing))
            yield f"{where} takes no {kinds} more" if is_sent else f"{where} may be {kinds} now"
        if is_sent:
            yield from _tighter(where, old, new)
        yield from self._members(where, old, new, is_sent=is_sent, depth=depth)
        if "items" in old:
            yield from self._schemas(f"{where}[]", old["items"], new.get("items", {}), is_sent=is_sent, depth=depth + 1)

    def _members(self, where: str, old: Json, new: Json, *, is_sent: bool, depth: int) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, member in before.items():
            if name not in after:
                yield f"{where}.{name} is gone"
            else:
                yield from self._schemas(f"{where}.{name}", member, after[name], is_sent=is_sent, depth=depth + 1)
        must_before, must_now = set(old.get("required", ())), set(new.get("required", ()))
        if is_sent:
            for name in sorted(must_now - must_before):
                yield f"{where}.{name} is required now"
        else:
            for name in sorted((must_before - must_now) & set(after)):
                yield f"{where}.{name} may be left out now"


def _resolved(document: Json, schema: Json) -> dict[str, Any]:
    """A schema without references and unions of one, alternatives joined as far as they are compared."""
    found: dict[str, Any] = dict(schema)
    while "$ref" in found:
        target: Any = document
        for part in str(found.pop("$ref")).removeprefix("#/").split("/"):
            target = target[part]
        found = {**target, **found}
    for part in found.pop("allOf", ()):
        found = {**_resolved(document, part), **found}
    choices = [_resolved(document, one) for key in ("oneOf", "anyOf") for one in found.pop(key, ())]
    if choices:
        found["type"] = sorted(set().union(*(_types(one) for one in choices)))
        enums = [one.get("enum", [None]) for one in choices if "enum" in one or _types(one) == {"null"}]
        if len(enums) == len(choices):
            found["enum"] = [value for values in enums for value in values]
        for one in choices:
            for key in ("properties", "required", "items"):
                if key in one:
                    found.setdefault(key, one[key])
    return found


def _types(schema: Json) -> set[str]:
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found | {"integer"} if "number" in found else found


def _tighter(where: str, old: Json, new: Json) -> Iterator[str]:
    """Limits of what a client sends."""
    if "enum" in new:
        gone = [value for value in old.get("enum", ()) if value not in new["enum"]]
        if gone or "enum" not in old:
            yield f"{where} takes {', '.join(map(str, gone)) or 'other values'} no more"
    for names, is_tighter in ((_TIGHTER_WHEN_LOWER, operator.lt), (_TIGHTER_WHEN_HIGHER, operator.gt)):
        for name in names:
            if name in new and (name not in old or is_tighter(new[name], old[name])):
                yield f"{where} has {name} {new[name]} now"
    for name in ("pattern", "format"):
        if name in new and new[name] != old.get(name):
            yield f"{where} has another {name}"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{where} takes no further members now"
