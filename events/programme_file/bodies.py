"""Countries and organisations of a programme file: the house's own rows, shared by all conferences."""

from __future__ import annotations

from functools import cache
from typing import Any

from events.models import Country, CountryStatus, Organisation
from events.programme_file.changes import Changes
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export, texts, without_empty
from events.programme_file.sections import Write
from events.programme_file.wording import readable
from events.programme_file.yaml_output import Quoted

COUNTRIES = "countries"
ORGANISATIONS = "organisations"


def known_countries(names: set[str]) -> set[str]:
    """Those of the names that some country has: printed, as an alias, or as its ISO code."""
    return names & set(_by_any_name())


def _by_any_name() -> dict[str, Country]:
    found: dict[str, Country] = {}
    for country in Country.objects.in_protocol_order():
        for name in (country.iso2, *country.aliases, *country.name.values()):
            found.setdefault(name, country)
    return found


# For a country that is new to the house only; the others stay as the country list of the house has them.
COUNTRY_SETTINGS = {"aliases": "aliases", "protocol_order": "protocol_order", "footnote": "footnote"}


def load_countries(document: Document) -> Write:
    """Countries the file names. A country of the house keeps its names; a new spelling becomes an alias."""
    document.registry(COUNTRIES, known_countries)
    listed: list[tuple[Entry, str, str, dict[str, Any]]] = []
    for entry in document.root.entries("countries"):
        names = entry.translated("name", required=True)
        name = names.best("en").text
        iso2 = entry.text("iso2", required=True)
        if iso2 and (len(iso2) != 2 or not iso2.isascii() or not iso2.isupper()):
            entry.problem("iso2", f"expected two capital letters in quotes, found “{iso2}”")
        status = entry.choice("osce_status", CountryStatus, default=CountryStatus.OTHER)
        defined = document.registry(COUNTRIES).defined
        if name in defined:
            entry.problem("name", f"“{name}” stands twice in countries; the first is in line {defined[name]}")
        defined[name] = entry.line
        defined.setdefault(iso2, entry.line)
        new = entry.settings(Country, COUNTRY_SETTINGS) | {"iso2": iso2, "name": names, "status": status}
        listed.append((entry, name, iso2, new))

    def write(changes: Changes) -> None:
        known = {country.iso2: country for country in Country.objects.in_protocol_order()}
        table = changes.table(Country, known.values(), key=lambda row: row.iso2)
        for entry, name, iso2, new in listed:
            country = known.get(iso2)
            if country is None:
                table.put(iso2, {}, new=new, line=entry.line)
                continue
            if "osce_status" in entry and country.status != new["status"]:
                text = f"osce_status: {name} is {country.status} in the country list of the house, not {new['status']}"
                changes.problems.add(entry.line_of("osce_status"), text)
            if name not in (country.iso2, *country.aliases, *country.name.values()):
                table.put(iso2, {"aliases": [*country.aliases, name]}, line=entry.line)
        # From here on other sections find countries by any of their names.
        for name, country in _by_any_name().items():
            table.rows[name] = country

    return write


def export_countries(export: Export) -> None:
    """The countries that the file names, by their names."""
    entries = []
    for row in export.countries.values():
        entry: dict[str, Any] = {"name": texts(row.name), "iso2": Quoted(row.iso2), "osce_status": row.status}
        entry |= export.facts(row, {"aliases": "aliases", "footnote": "footnote"})
        if row.protocol_order != Country._meta.get_field("protocol_order").get_default():
            entry["protocol_order"] = row.protocol_order
        entries.append((row.name.best("en").text, row.iso2, entry))
    if entries:
        export.root["countries"] = [entry for _name, _iso2, entry in sorted(entries, key=lambda one: one[:2])]


ORGANISATION_FACTS = {
    "name": "name",
    "abbreviation": "abbreviation",
    "kind": "kind",
    "note": "internal_note",
}
ORGANISATION_SETTINGS = {
    "name_derived": "is_name_derived",
    "alliance_partner": "is_alliance_partner",
    "web": "web",
    "contact": "contact",
}


def spellings(entry: Entry, *, longest: int) -> dict[str, Any]:
    """Other spellings of a name and where each was found: values for the fields aliases and alias_sources."""
    names, sources = [], {}
    for variant in entry.entries("name_variants"):
        name = variant.text("name", required=True, longest=longest)
        where = variant.text("where")
        names.append(name)
        if where:
            sources[name] = where
    return {"aliases": names, "alias_sources": sources}


def with_earlier_spellings(values: dict[str, Any], row: Organisation | Any | None) -> dict[str, Any]:
    """The values together with the spellings that earlier files found: a shared row only gains some."""
    if row is None:
        return values
    aliases = [*row.aliases, *(name for name in values["aliases"] if name not in row.aliases)]
    return values | {"aliases": aliases, "alias_sources": {**row.alias_sources, **values["alias_sources"]}}


def known_organisations(keys: set[str]) -> set[str]:
    """Those of the keys that organisations of earlier files have."""
    return set(Organisation.objects.filter(key__in=keys).values_list("key", flat=True))


def load_organisations(document: Document) -> Write:
    """Organisations and how they belong to each other. The same key is the same row in every file."""
    document.registry(ORGANISATIONS, known_organisations)
    listed: dict[str, tuple[Entry, dict[str, Any], str, str]] = {}
    for entry in document.root.entries("organisations"):
        key = entry.define("id", ORGANISATIONS)
        values = entry.facts(Organisation, ORGANISATION_FACTS) | entry.settings(Organisation, ORGANISATION_SETTINGS)
        values |= spellings(entry, longest=250)
        listed[key] = (entry, values, entry.refer("part_of", ORGANISATIONS), entry.refer("country", COUNTRIES))
    _refuse_circles(document, listed)

    def write(changes: Changes) -> None:
        wanted = {*listed, *(key for key, _line in document.registry(ORGANISATIONS).referred)}
        rows = Organisation.objects.filter(key__in=wanted).order_by("pk")
        table = changes.table(Organisation, rows, key=lambda row: row.key)

        @cache
        def put(key: str) -> Organisation:
            if key not in listed:
                return table.rows[key]
            entry, values, part_of, country = listed[key]
            values["part_of"] = put(part_of) if part_of else None
            values["country"] = changes.optional_row(Country, country)
            filled = table.keep(with_earlier_spellings(values, table.rows.get(key)), key)
            return table.put(key, filled, new={"key": key}, line=entry.line)

        for key in listed:
            put(key)

    return write


def _refuse_circles(document: Document, listed: dict[str, tuple[Entry, dict[str, Any], str, str]]) -> None:
    for key, (entry, _values, _part_of, _country) in listed.items():
        seen, above = {key}, key
        while above in listed and (above := listed[above][2]):
            if above in seen:
                entry.problem("part_of", f"“{key}” would be a part of itself")
                return
            seen.add(above)


def export_spellings(row: Organisation | Any) -> list[dict[str, str]]:
    """Other spellings of a name, each with where it was found."""
    return [
        {"name": name, "where": where} if (where := row.alias_sources.get(alias)) else {"name": name}
        for alias in row.aliases
        if (name := readable(alias))
    ]


def export_organisations(export: Export) -> None:
    """The organisations that the file names, and those they are parts of."""
    waiting, entries = list(export.organisations.values()), {}
    above = {row.pk: row for row in Organisation.objects.filter(parts__isnull=False)}
    while waiting:
        row = waiting.pop(0)
        entry: dict[str, Any] = {"id": row.key, **export.facts(row, ORGANISATION_FACTS)}
        if row.part_of_id and (parent := above[row.part_of_id]).key not in export.organisations:
            waiting.append(parent)
        entry["part_of"] = export.organisation(above[row.part_of_id]) if row.part_of_id else None
        entry["country"] = export.country(row.country_id)
        entry["name_variants"] = export_spellings(row)
        entries[row.key] = without_empty(entry | export.facts(row, ORGANISATION_SETTINGS))
    if entries:
        order = ["id", *ORGANISATION_FACTS, "part_of", "country", "name_variants", *ORGANISATION_SETTINGS]
        order.append(order.pop(order.index("note")))
        export.root["organisations"] = [
            {key: entries[one][key] for key in order if key in entries[one]} for one in sorted(entries)
        ]
