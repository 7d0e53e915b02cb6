"""Writes rows only where they differ, and remembers what differed, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models, transaction

from alliance.languages import Translations, translations
from alliance.translated import TranslatedField
from events.programme_file.entries import Plain
from events.programme_file.problems import Problems
from events.programme_file.wording import is_same

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that the file and the database do not agree on. field: empty where the row as a whole is removed."""

    row: str
    field: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.row}: {self.field}: {self.before} -> {self.after}" if self.field else f"{self.row}: removed"


class Changes:
    """What one import did to the database, and the rows it touched or found, by their keys.

    created: how many rows of each kind are new. made: what these are called. differences: in rows that were there
    before.
    at: the line and the row that is being written, to say where the database refused something.
    rows: how many were looked at; step is told so after each.
    """

    def __init__(self, step: Callable[[int], None] | None = None) -> None:
        self.rows = 0
        self._step = step
        self.created: Counter[str] = Counter()
        self.made: list[str] = []
        self.differences: list[Difference] = []
        self.problems = Problems()
        self.at: tuple[int, str] = (0, "")
        self._tables: dict[type[models.Model], Table[Any]] = {}
        self._at_end: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self.created or self.differences)

    def look_at(self, line: int, label: str) -> None:
        """Go on to a row of the file."""
        self.at = (line, label)
        self.rows += 1
        if self._step is not None:
            self._step(self.rows)

    def table(self, model: type[M], rows: Iterable[M], *, key: Callable[[M], str], name: str | None = None) -> Table[M]:
        """The rows of a model that the file speaks of, with those that exist already. key: what identifies a row.

        name: what the kind is called in the report; the model's name when it is not given.
        """
        table = Table(self, model, {key(row): row for row in rows}, name or str(model._meta.verbose_name))
        self._tables[model] = table
        return table

    def at_end(self, action: Callable[[], None]) -> None:
        """Do something when all sections have written: removing rows that others may still leave."""
        self._at_end.append(action)

    def finish(self) -> None:
        """Do what was put off to the end. Raises InvalidFile when anything was found while writing."""
        for action in self._at_end:
            action()
        self.problems.stop()

    def table_of(self, model: type[M]) -> Table[M]:
        """The table that an earlier section made for the model."""
        return self._tables[model]

    def table_or_none(self, model: type[M]) -> Table[M] | None:
        """The table of the model, if there is one yet."""
        return self._tables.get(model)

    def row(self, model: type[M], key: str) -> M:
        """A row that an earlier section wrote or found. Sections are read in order, so it is there."""
        row: M = self._tables[model].rows[key]
        return row

    def optional_row(self, model: type[M], key: str) -> M | None:
        """The same for a reference that may be empty."""
        return self.row(model, key) if key else None

    def report(self) -> list[str]:
        """All that was done, for a person: differences first, then what is new."""
        new = (f"new: {number} × {name}" for name, number in sorted(self.created.items()))
        return [*map(str, self.differences), *new]


class Table(Generic[M]):
    """The rows of one model while a file is written."""

    def __init__(self, changes: Changes, model: type[M], rows: dict[str, M], name: str) -> None:
        self.changes = changes
        self.model = model
        self.rows = rows
        self.name = name
        self._put: set[str] = set()
        self._new: set[str] = set()

    def keep(self, values: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Without the empty values when the row is there: a file does not empty rows that all conferences share."""
        if key not in self.rows:
            return dict(values)
        return {name: value for name, value in values.items() if value not in (None, "", [], {})}

    def put(
        self, key: str, values: Mapping[str, Any], *, line: int, new: Mapping[str, Any] | None = None, label: str = ""
    ) -> M:
        """Make the row hold these values; written only when it does not already.

        new: further values for a row that is made now. label: how the report calls the row; its key by default.
        """
        label = f"{self.name} {label or key}"
        self.changes.look_at(line, label)
        self._put.add(key)
        row = self.rows.get(key)
        if row is None:
            row = self.model(**{**(new or {}), **{name: _whole(value) for name, value in values.items()}})
            row.save(force_insert=True)
            self.rows[key] = row
            self._new.add(key)
            self.changes.created[self.name] += 1
            self.changes.made.append(label)
            return row
        changed = [name for name, value in values.items() if self._set(row, name, value, label)]
        if changed:
            stamps = [field.name for field in row._meta.concrete_fields if getattr(field, "auto_now", False)]
            row.save(update_fields=[*changed, *stamps])
        return row

    def put_related(self, key: str, name: str, others: Iterable[models.Model], *, label: str = "") -> None:
        """Make a many-to-many field of the row hold exactly these. Prefetch it to spare a query per row."""
        row = self.rows[key]
        wanted = {other.pk: other for other in others}
        manager = getattr(row, name)
        current = {} if key in self._new else {other.pk: other for other in manager.all()}
        if set(current) == set(wanted):
            return
        if key not in self._new:
            self._note(f"{self.name} {label or key}", name, _names(current.values()), _names(wanted.values()))
        manager.set(list(wanted.values()))

    def remove_others(self) -> None:
        """Delete the rows that the file no longer has. What people depend on stays, and is a problem to report."""
        for key in [key for key in self.rows if key not in self._put]:
            self.remove(key)

    def remove(self, key: str) -> None:
        """Delete one row, unless rows of other people depend on it."""
        label = f"{self.name} {key}"
        self.changes.at = (0, label)
        try:
            with transaction.atomic():
                self.rows[key].delete()
        except models.ProtectedError as error:
            kinds = ", ".join(sorted({str(row._meta.verbose_name_plural) for row in error.protected_objects}))
            self.changes.problems.add(
                0, f"{label} is not in the file, but {kinds} depend on it: cancel it in the admin"
            )
            return
        del self.rows[key]
        self.changes.differences.append(Difference(label))

    def _set(self, row: M, name: str, value: Any, label: str) -> bool:
        """Assign one value when it differs; note the difference."""
        field = row._meta.get_field(name)
        if isinstance(field, TranslatedField):
            before: Translations = getattr(row, name)
            after = _merged(before, value)
            changed = [code for code in {**before, **after} if not is_same(before.get(code, ""), after.get(code, ""))]
            if not changed:
                return False
            for code in [*before, *(code for code in after if code not in before)]:
                if code in changed:
                    self._note(label, f"{name}.{code}", before.get(code), after.get(code))
            setattr(row, name, after)
            return True
        if isinstance(field, models.ForeignKey):
            if getattr(row, field.attname) == (value.pk if value is not None else None):
                return False
            self._note(label, name, _name(getattr(row, name)), _name(value))
        else:
            current: Any = getattr(row, name)
            if current == value or (isinstance(current, str) and isinstance(value, str) and is_same(current, value)):
                return False
            if isinstance(current, dict) and isinstance(value, dict):
                for key in dict.fromkeys([*current, *value]):
                    if current.get(key) != value.get(key):
                        self._note(label, f"{name}.{key}", current.get(key), value.get(key))
            else:
                self._note(label, name, current, value)
        setattr(row, name, value)
        return True

    def is_new(self, key: str) -> bool:
        """Whether the row was made by this import."""
        return key in self._new

    def note(self, key: str, name: str, before: object, after: object) -> None:
        """Report a difference that was written elsewhere."""
        self._note(f"{self.name} {key}", name, before, after)

    def _note(self, label: str, name: str, before: object, after: object) -> None:
        self.changes.differences.append(Difference(label, name, _shown(before), _shown(after)))


def _whole(value: Any) -> Any:
    return translations(value) if isinstance(value, Plain) else value


def _merged(before: Translations, value: Any) -> Translations:
    """What a translated text becomes: a plain text speaks of English only, null and a mapping of all languages."""
    if isinstance(value, Plain) and value:
        return Translations({**before, **value})
    return translations(value)


def _name(row: models.Model | None) -> str | None:
    if row is None:
        return None
    return str(getattr(row, "key", None) or getattr(row, "iso2", None) or row)


def _names(rows: Iterable[models.Model]) -> str | None:
    return ", ".join(sorted(_name(row) or "" for row in rows)) or None


def _shown(value: object) -> str:
    """A value in a report: texts in quotes, nothing as a word."""
    if value is None or value == "" or value == [] or value == {}:
        return "nothing"
    return f"“{value}”" if isinstance(value, str) else str(value)
