"""Typed reading of a programme file: what a key may hold is taken from the model field it goes to.

A section asks an entry for its values; types, lengths, choices, languages and addresses are checked by the fields of
the models, so that the file and the admin accept the same things. What is wrong is noted with its line and reading
goes on; keys that no section asked for are reported at the end.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from alliance import languages
from alliance.languages import Translations
from alliance.translated import TranslatedField
from events.models.conference import is_near
from events.programme_file import yaml_text
from events.programme_file.problems import Problems
from events.programme_file.yaml_text import Kind, Scalar

T = TypeVar("T")

FORMAT = "alliance-programme/1"
_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Plain(Translations):
    """A text the file gives in English alone: it says nothing about other languages, which stay as they are."""


@dataclass(slots=True)
class Registry:
    """The ids of one kind of thing: those the file defines, those it refers to, and how to find older ones.

    existing: which of the given ids the database knows already (persons and organisations of earlier editions).
    """

    name: str
    existing: Callable[[set[str]], set[str]]
    defined: dict[str, int] = field(default_factory=dict)
    referred: list[tuple[str, int]] = field(default_factory=list)


class Document:
    """A programme file while it is read."""

    def __init__(self, root: yaml_text.Mapping, problems: Problems | None = None) -> None:
        self.problems = problems if problems is not None else Problems()
        self.root = Entry(root, self)
        self.registries: dict[str, Registry] = {}
        self._entries: dict[int, Entry] = {id(root): self.root}
        found = self.root.text("format")
        if found != FORMAT:
            self.problems.add(self.root.line_of("format"), f"format: expected {FORMAT}, found {found or 'nothing'}")
            self.problems.stop()

    def entry(self, node: yaml_text.Mapping) -> Entry:
        """The one Entry of a mapping, so that several sections can read it and unknown keys are still known."""
        return self._entries.setdefault(id(node), Entry(node, self))

    def registry(self, name: str, existing: Callable[[set[str]], set[str]] | None = None) -> Registry:
        """The registry of that name, such as "persons". The section that owns it says how to find older ones."""
        registry = self.registries.setdefault(name, Registry(name, lambda ids: set()))
        if existing is not None:
            registry.existing = existing
        return registry

    def finish(self) -> None:
        """Check what only the whole file shows. Raises InvalidFile when anything at all was found."""
        for registry in self.registries.values():
            wanted = {id_ for id_, _line in registry.referred} - set(registry.defined)
            unknown = wanted - registry.existing(wanted) if wanted else set()
            for id_, line in registry.referred:
                if id_ in unknown:
                    close = _suggestion(id_, registry.defined)
                    self.problems.add(line, f"“{id_}” is neither in {registry.name} nor known from before{close}")
        for entry in self._entries.values():
            entry.report_unknown_keys()
        self.problems.stop()


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean “{close[0]}”?" if close else ""


def _shown(node: yaml_text.Node) -> str:
    if isinstance(node, Scalar):
        text = node.text if len(node.text) <= 60 else f"{node.text[:60]}…"
        return f"“{text}”"
    return "a list" if isinstance(node, yaml_text.Sequence) else "keys and values"


class Entry:
    """A mapping of the file and typed access to it. Every reading method notes problems and never raises for them."""

    def __init__(self, node: yaml_text.Mapping, document: Document) -> None:
        self.node = node
        self.document = document
        self._asked: set[str] = set()

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.node.line

    def __contains__(self, key: str) -> bool:
        return key in self.node.items

    def has(self, key: str) -> bool:
        """Whether the file gives a value: the key is there and not null."""
        return self._node(key) is not None

    def line_of(self, key: str) -> int:
        """Where the key stands; where the entry begins when it is missing."""
        return self.node.key_lines.get(key, self.node.line)

    def problem(self, key: str, text: str) -> None:
        """Note what is wrong with the value of a key."""
        self.document.problems.add(self.line_of(key), f"{key}: {text}")

    def report_unknown_keys(self) -> None:
        """Note each key that nobody asked for."""
        for key, line in self.node.key_lines.items():
            if key not in self._asked:
                self.document.problems.add(line, f"unknown key “{key}”{_suggestion(key, self._asked)}")

    def _node(self, key: str, *, required: bool = False) -> yaml_text.Node | None:
        """The node of a key; None for a missing or null one."""
        self._asked.add(key)
        node = self.node.items.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            if required:
                self.problem(key, "is missing" if node is None else "is null, but needs a value")
            return None
        return node

    # --- single values ----------------------------------------------------------------------------------------------

    def text(self, key: str, *, required: bool = False, longest: int | None = None) -> str:
        """A text; empty where the file gives none. longest: in characters."""
        node = self._node(key, required=required)
        if node is None:
            return ""
        value = self._as_text(key, node)
        if longest is not None and len(value) > longest:
            self.problem(key, f"has {len(value)} characters; at most {longest} are possible")
        return value

    def _as_text(self, key: str, node: yaml_text.Node) -> str:
        if not isinstance(node, Scalar):
            self.document.problems.add(node.line, f"{key}: expected a text, found {_shown(node)}")
            return ""
        if node.kind is not Kind.TEXT:
            quoted = f'"{node.text}"'
            self.document.problems.add(
                node.line, f"{key}: {node.text} without quotes is not read as text everywhere: write {quoted}"
            )
        return node.text.strip()

    def key(self, key: str, *, required: bool = True, longest: int = 80) -> str:
        """A stable id: letters without accents, digits, hyphen and underscore."""
        value = self.text(key, required=required, longest=longest)
        if value and not _KEY.fullmatch(value):
            self.problem(key, f"expected letters a-z, digits, hyphens and underscores, found “{value}”")
            return ""
        return value

    def word_or_number(self, key: str, *, longest: int) -> str:
        """A printed number such as p1 or 13, with or without quotes."""
        node = self._node(key, required=True)
        if isinstance(node, Scalar) and node.kind is Kind.INTEGER:
            return node.text
        return self.text(key, longest=longest) if node is not None else ""

    def integer(self, key: str, *, required: bool = False, least: int = 0, most: int = 2_147_483_647) -> int | None:
        """A whole number."""
        node = self._node(key, required=required)
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.kind is not Kind.INTEGER:
            hint = ", without quotes" if isinstance(node, Scalar) and not node.is_plain else ""
            self.problem(key, f"expected a whole number{hint}, found {_shown(node)}")
            return None
        if len(node.text) > 20 or not least <= (value := int(node.text)) <= most:
            self.problem(key, f"expected a number from {least} to {most}, found {node.text}")
            return None
        return value

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """A true or false."""
        node = self._node(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or node.kind is not Kind.BOOLEAN:
            self.problem(key, f"expected true or false, found {_shown(node)}")
            return default
        return node.text.lower() == "true"

    def day(self, key: str, *, required: bool = False) -> date | None:
        """A calendar day, 2020-07-20."""
        node = self._node(key, required=required)
        if node is None:
            return None
        if isinstance(node, Scalar) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.text):
            try:
                day = date.fromisoformat(node.text)
            except ValueError:
                pass
            else:
                if is_near(day):
                    return day
        self.problem(key, f"expected a date such as 2020-07-20, found {_shown(node)}")
        return None

    def clock(self, key: str) -> time | None:
        """A local time in quotes, "11:30"."""
        node = self._node(key)
        if node is None:
            return None
        if isinstance(node, Scalar) and re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", node.text):
            if node.kind is Kind.TRAP:
                self.problem(
                    key, f'{node.text} without quotes is a number to many programs: write "{node.text.zfill(5)}"'
                )
                return None
            try:
                return time.fromisoformat(node.text.zfill(5))
            except ValueError:
                pass
        self.problem(key, f'expected a time in quotes such as "11:30", found {_shown(node)}')
        return None

    def instant(self, key: str) -> datetime | None:
        """An instant with its offset, 2020-07-20T11:30:00+02:00."""
        node = self._node(key)
        if node is None:
            return None
        if isinstance(node, Scalar):
            try:
                value = datetime.fromisoformat(node.text)
            except ValueError:
                pass
            else:
                if value.tzinfo is not None and is_near(value.date()):
                    return value.astimezone(UTC)
        self.problem(key, f"expected an instant with offset such as 2020-07-20T11:30:00+02:00, found {_shown(node)}")
        return None

    def is_instant(self, key: str) -> bool:
        """Whether the value is an instant, for keys that take a local time or an instant."""
        node = self.node.items.get(key)
        return isinstance(node, Scalar) and bool(re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", node.text))

    def choice(self, key: str, choices: type[models.TextChoices], *, default: str = "", required: bool = False) -> str:
        """One of the known words."""
        value = self.text(key, required=required)
        if not value:
            return default
        if value not in choices.values:
            words = ", ".join(choices.values)
            self.problem(key, f"“{value}” is not known{_suggestion(value, choices.values)} Expected one of: {words}")
            return default
        return value

    # --- texts in several languages ---------------------------------------------------------------------------------

    def translated(self, key: str, *, required: bool = False) -> Translations:
        """A text, or a mapping of languages to texts."""
        node = self._node(key, required=required)
        if node is None:
            return Translations()
        value = self._as_translations(key, node)
        if required and not value and isinstance(node, yaml_text.Mapping):
            self.problem(key, "needs a text in at least one language")
        return value

    def _as_translations(self, key: str, node: yaml_text.Node) -> Translations:
        if isinstance(node, Scalar):
            text = self._as_text(key, node)
            return Plain({"en": text} if text else {})
        if isinstance(node, yaml_text.Sequence):
            self.document.problems.add(node.line, f"{key}: expected a text or its translations, found a list")
            return Translations()
        texts = {}
        for code, part in node.items.items():
            if code not in languages.codes():
                expected = ", ".join(languages.codes())
                line = node.key_lines[code]
                self.document.problems.add(line, f"{key}: “{code}” is no language of the house; expected {expected}")
            elif not (isinstance(part, Scalar) and part.is_null):
                texts[code] = self._as_text(f"{key}.{code}", part)
        return languages.translations(texts)

    def lines(self, key: str) -> Translations:
        """A list of texts as one text, a line each; per language where the items have translations.

        Where languages differ in their lines: a mapping of languages to whole texts.
        """
        if isinstance(self._node(key), yaml_text.Mapping):
            return self.translated(key)
        items = [self._as_translations(key, node) for node in self._items(key)]
        codes = [code for code in languages.codes() if any(code in item for item in items)]
        # A language that lacks a line would lose a group: leave it out as a whole, readers then get English.
        whole = {code: "\n".join(item[code] for item in items) for code in codes if all(code in item for item in items)}
        return Plain(whole) if all(isinstance(item, Plain) for item in items) else languages.translations(whole)

    def translated_items(self, key: str) -> list[tuple[int, Translations]]:
        """A list of texts with their lines."""
        return [(node.line, self._as_translations(key, node)) for node in self._items(key)]

    # --- lists and parts --------------------------------------------------------------------------------------------

    def _items(self, key: str) -> list[yaml_text.Node]:
        node = self._node(key)
        if node is None:
            return []
        if not isinstance(node, yaml_text.Sequence):
            self.problem(key, f"expected a list, found {_shown(node)}")
            return []
        return node.items

    def texts(self, key: str, *, longest: int | None = None) -> list[str]:
        """A list of texts."""
        found = [self._as_text(key, node) for node in self._items(key)]
        for text in found:
            if longest is not None and len(text) > longest:
                self.problem(key, f"“{text[:40]}…” has {len(text)} characters; at most {longest} are possible")
        return [text for text in found if text]

    def words_or_numbers(self, key: str) -> list[str]:
        """A list of printed numbers such as p1 or 13."""
        return [
            node.text if isinstance(node, Scalar) and node.kind is Kind.INTEGER else self._as_text(key, node)
            for node in self._items(key)
        ]

    def entries(self, key: str) -> list[Entry]:
        """A list of entries."""
        found = []
        for node in self._items(key):
            if isinstance(node, yaml_text.Mapping):
                found.append(self.document.entry(node))
            else:
                self.document.problems.add(node.line, f"{key}: expected keys and values, found {_shown(node)}")
        return found

    def entry(self, key: str, *, required: bool = False) -> Entry | None:
        """An entry inside this one."""
        node = self._node(key, required=required)
        if node is None:
            return None
        if isinstance(node, yaml_text.Mapping):
            return self.document.entry(node)
        self.problem(key, f"expected keys and values, found {_shown(node)}")
        return None

    def is_single(self, key: str) -> bool:
        """Whether the value is a single one (or missing), for keys that take a value or an entry."""
        return not isinstance(self.node.items.get(key), yaml_text.Mapping | yaml_text.Sequence)

    # --- references -------------------------------------------------------------------------------------------------

    def define(self, key: str, registry: str, *, longest: int = 80) -> str:
        """The id of this entry, given once in its registry."""
        value = self.key(key, longest=longest)
        defined = self.document.registry(registry).defined
        if value in defined:
            self.problem(key, f"“{value}” stands twice in {registry}; the first is in line {defined[value]}")
        elif value:
            defined[value] = self.line_of(key)
        return value

    def refer(self, key: str, registry: str, *, required: bool = False) -> str:
        """The id of another entry; checked when the whole file has been read."""
        value = self.text(key, required=required)
        if value:
            self.document.registry(registry).referred.append((value, self.line_of(key)))
        return value

    def refer_all(self, key: str, registry: str) -> list[str]:
        """A list of ids of other entries."""
        found = []
        for node in self._items(key):
            if value := self._as_text(key, node):
                found.append(value)
                self.document.registry(registry).referred.append((value, node.line))
        return found

    # --- values as model fields take them ---------------------------------------------------------------------------

    def facts(self, model: type[models.Model], table: Mapping[str, str]) -> dict[str, Any]:
        """Values for the fields of a model: {key of the file: name of the field} gives {name of the field: value}.

        For what the format always says: a missing key means the same as null, namely that there is no such fact.
        """
        return {name: self.fact(model, name, key) for key, name in table.items()}

    def settings(self, model: type[models.Model], table: Mapping[str, str]) -> dict[str, Any]:
        """The same for what the file may leave to the people in the admin: a missing key is left out."""
        self._asked.update(table)
        return {name: self.fact(model, name, key) for key, name in table.items() if key in self}

    def fact(self, model: type[models.Model], name: str, key: str) -> Any:
        """One value for one field, as the field wants it. Choices, lengths and addresses are the field's own."""
        model_field = model._meta.get_field(name)
        if not isinstance(model_field, models.Field):  # pragma: no cover - a table names a field
            raise TypeError(f"{name} is not a field of {model.__name__}")
        value = self._raw(model_field, key)
        if value is None:
            return None if model_field.null else model_field.get_default()
        try:
            model_field.run_validators(value)
            if model_field.choices is not None and value not in dict(model_field.flatchoices):
                words = ", ".join(str(word) for word, _label in model_field.flatchoices)
                close = _suggestion(str(value), [str(word) for word, _label in model_field.flatchoices])
                self.problem(key, f"“{value}” is not known{close} Expected one of: {words}")
        except ValidationError as error:
            self.problem(key, f"{' '.join(error.messages)} Found {_shown(self.node.items[key])}")
        return value

    def _raw(self, model_field: models.Field[Any, Any], key: str) -> Any:
        """The value by the kind of the field; None where the file gives none."""
        if isinstance(model_field, TranslatedField):
            return self.translated(key, required=not model_field.blank)
        required = not model_field.blank and not model_field.null and not model_field.has_default()
        if self._node(key, required=required) is None:
            return None
        if isinstance(model_field, models.BooleanField):
            return self.boolean(key)
        if isinstance(model_field, models.DateTimeField):
            return self.instant(key)
        if isinstance(model_field, models.DateField):
            return self.day(key)
        if isinstance(model_field, models.IntegerField):
            return self._integer_for(model_field, key)
        if isinstance(model_field, ArrayField):
            return self.texts(key, longest=model_field.base_field.max_length)
        if isinstance(model_field, models.JSONField):
            return self.data(key)
        return self.text(key)

    def _integer_for(self, model_field: models.IntegerField[Any, Any], key: str) -> int | None:
        limits = {
            "PositiveSmallIntegerField": (0, 32_767),
            "PositiveIntegerField": (0, 2_147_483_647),
            "BigIntegerField": (-(2**63), 2**63 - 1),
        }
        least, most = limits.get(model_field.get_internal_type(), (-2_147_483_648, 2_147_483_647))
        return self.integer(key, least=least, most=most)

    def data(self, key: str) -> Any:
        """A part of the file as plain lists, dicts, texts, numbers and truth values, for JSON columns."""
        node = self._node(key)
        return self._plain(key, node) if node is not None else None

    def _plain(self, key: str, node: yaml_text.Node) -> Any:
        if isinstance(node, yaml_text.Sequence):
            return [self._plain(key, item) for item in node.items]
        if isinstance(node, yaml_text.Mapping):
            return {name: self._plain(name, item) for name, item in node.items.items()}
        if node.kind is Kind.NULL:
            return None
        if node.kind is Kind.BOOLEAN:
            return node.text.lower() == "true"
        if node.kind is Kind.INTEGER and len(node.text) <= 18:
            return int(node.text)
        if node.kind in {Kind.DATE, Kind.INSTANT}:
            return node.text
        return self._as_text(key, node)
