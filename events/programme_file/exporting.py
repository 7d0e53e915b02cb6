"""Writing a conference as a programme file that imports to the same state.

Every app puts in the part it owns, by the same tables that it reads with. Empty facts are left out: a missing key means
the same as null. Settings stand there also when they are empty, because silence would leave them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models

from alliance import languages
from alliance.time import LocalTimeProblem, to_instant
from alliance.translated import TranslatedField
from events.models import Conference, Country, Organisation
from events.programme_file.entries import FORMAT
from events.programme_file.wording import readable
from events.programme_file.yaml_output import Quoted

M = TypeVar("M", bound=models.Model)

_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


class Export:
    """A programme file while it is made.

    root: the parts of the file. Whoever names an organisation or a country asks for its name here; the sections of
    these come last and describe what was asked for.
    """

    def __init__(self, conference: Conference) -> None:
        self.conference = conference
        self.root: dict[str, Any] = {"format": FORMAT}
        self.organisations: dict[str, Organisation] = {}
        self.countries: dict[int, Country] = {}
        self.persons: dict[str, Any] = {}
        self.topics: dict[str, None] = {}
        self._sessions: dict[int, dict[str, Any]] = {}
        self._names = _country_names()

    def session(self, pk: int) -> dict[str, Any]:
        """The entry of a session, to add to."""
        return self._sessions.setdefault(pk, {})

    def organisation(self, row: Organisation | None) -> str | None:
        """The id of an organisation; it will be described in the file."""
        if row is None:
            return None
        self.organisations.setdefault(row.key, row)
        return row.key

    def country(self, pk: int | None) -> str | None:
        """The name of a country, by which the import finds it; it will be described in the file."""
        if pk is None:
            return None
        row, name = self._names[pk]
        self.countries.setdefault(pk, row)
        return name

    def facts(self, row: models.Model, table: Mapping[str, str]) -> dict[str, Any]:
        """What a row holds, by the keys of the file, without what is empty."""
        return {key: value for key, value in self.settings(row, table).items() if value not in _EMPTY}

    def settings(self, row: models.Model, table: Mapping[str, str]) -> dict[str, Any]:
        """The same with null for what is empty."""
        return {key: self.value(row, name) for key, name in table.items()}

    def value(self, row: models.Model, name: str) -> Any:
        """One value as the file says it."""
        value = getattr(row, name)
        if isinstance(row._meta.get_field(name), TranslatedField):
            return texts(value)
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """Any value as the file says it: texts without what no file can hold, instants on the clock of the venue."""
        if isinstance(value, str):
            return readable(value) or None
        if isinstance(value, datetime):
            return value.astimezone(self.conference.zone)
        if isinstance(value, Mapping):
            return {readable(str(key)): self.plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.plain(part) for part in value]
        if isinstance(value, float):  # only in JSON that somebody typed; other readers differ on it
            return str(value)
        return value

    def clock(self, instant: datetime | None, day: date | None) -> Any:
        """A time as it is written beside the day: "11:30"; an instant where that would not say the same."""
        if instant is None:
            return None
        local = instant.astimezone(self.conference.zone)
        if day is not None and local.date() == day:
            try:
                same = to_instant(day, local.time().replace(second=0, microsecond=0), zone=self.conference.time_zone)
            except LocalTimeProblem:
                return local
            if same == instant:
                return Quoted(f"{local:%H:%M}")
        return local


def _country_names() -> dict[int, tuple[Country, str]]:
    """Every country with the name that means it and no other: the English one, else the ISO code."""
    found: dict[int, tuple[Country, str]] = {}
    taken: dict[str, int] = {}
    rows = list(Country.objects.in_protocol_order())
    for row in rows:
        for name in (row.iso2, *row.aliases, *row.name.values()):
            taken.setdefault(name, row.pk)
    for row in rows:
        name = row.name.best("en").text
        found[row.pk] = (row, name if taken.get(name) == row.pk and name == readable(name) else row.iso2)
    return found


def texts(value: Mapping[str, str]) -> Any:
    """A text in several languages: None without one, a plain text in English alone, else by language."""
    found = {code: text for code in languages.codes() if (text := readable(value.get(code) or ""))}
    if not found:
        return None
    return found["en"] if list(found) == ["en"] else found


def without_empty(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without keys that have no value."""
    return {key: value for key, value in entry.items() if value not in _EMPTY}


def by_key(rows: Iterable[M], name: str) -> dict[Any, list[M]]:
    """Rows in groups, each in the order they came."""
    found: dict[Any, list[M]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found
