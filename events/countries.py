"""The list of countries that the house starts with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import yaml
from django.db import transaction

from alliance.languages import Translations
from events.models import Country

_FILE = Path(__file__).parent / "data" / "countries.yaml"
_STEP = 10  # between protocol numbers, so that one can be put between two
_UNPLACED = 1000  # the protocol number of a country that nobody has placed


class _Listed(TypedDict):
    """One line of the list."""

    iso2: str
    status: str
    name: dict[str, str]
    aliases: list[str]
    protocol_order: int


@lru_cache(maxsize=1)
def listed() -> tuple[_Listed, ...]:
    """The countries of the list, in protocol order."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _FILE.open(encoding="utf-8") as file:
        entries = yaml.load(file, Loader=loader)  # nosec B506 # noqa: S506 - a safe loader, and our own file
    return tuple(
        _Listed(
            iso2=entry["iso2"],
            status=entry["status"],
            name=entry["name"],
            aliases=entry.get("aliases", []),
            protocol_order=number * _STEP,
        )
        for number, entry in enumerate(entries, start=1)
    )


@transaction.atomic
def load() -> tuple[int, int]:
    """Add the countries of the list that are missing, and complete those that lack a language or a place in the order.

    What people have written stays as it is: names are not replaced, statuses are not changed. Gives the numbers of new
    and of completed countries.
    """
    existing = {country.iso2: country for country in Country.objects.all()}
    new = [Country(**entry) for entry in listed() if entry["iso2"] not in existing]
    Country.objects.bulk_create(new)
    completed = [
        existing[entry["iso2"]] for entry in listed() if entry["iso2"] in existing and _complete(entry, existing)
    ]
    for country in completed:
        country.save(update_fields=["name", "aliases", "protocol_order"])
    return len(new), len(completed)


def _complete(entry: _Listed, existing: dict[str, Country]) -> bool:
    """Fill what the country lacks; whether there was anything."""
    country = existing[entry["iso2"]]
    before = (dict(country.name), list(country.aliases), country.protocol_order)
    names = {country.name.get("en"), *country.aliases}
    country.aliases = [
        *country.aliases,
        *(name for name in [entry["name"]["en"], *entry["aliases"]] if name not in names),
    ]
    country.name = Translations({**entry["name"], **country.name})
    if country.protocol_order == _UNPLACED:
        country.protocol_order = entry["protocol_order"]
    return before != (dict(country.name), list(country.aliases), country.protocol_order)
