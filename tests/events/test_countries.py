"""The list of countries that comes with the house."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alliance import languages
from events import countries
from events.models import Country, CountryStatus

STATES = Path(__file__).resolve().parents[3] / "shared" / "data" / "osce_states.csv"


def test_load_brings_states_and_partners_in_protocol_order(db: None) -> None:
    countries.load()

    counts = {status: Country.objects.filter(status=status).count() for status in CountryStatus.values}
    assert counts == {"participating_state": 57, "asian_partner": 5, "mediterranean_partner": 6, "other": 127}
    first = Country.objects.states_and_partners().in_protocol_order().values_list("iso2", flat=True)
    assert (first[0], first[56], first[57], first[67]) == ("AL", "UZ", "AF", "TN")


def test_every_country_has_a_name_in_each_language(db: None) -> None:
    countries.load()

    for country in Country.objects.all():
        assert list(country.name) == languages.codes() or set(country.name) == set(languages.codes())
        assert all(name.strip() == name and name for name in country.name.values())


def test_names_and_codes_stand_for_one_country_each() -> None:
    names: dict[str, str] = {}
    for entry in countries.listed():
        for name in {entry["name"]["en"], entry["iso2"], *entry["aliases"]}:
            assert names.setdefault(name.casefold(), entry["iso2"]) == entry["iso2"], name


def test_load_twice_writes_nothing_the_second_time(db: None) -> None:
    countries.load()

    with CaptureQueriesContext(connection) as queries:
        assert countries.load() == (0, 0)

    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_load_completes_a_country_and_leaves_what_people_wrote(db: None) -> None:
    Country.objects.create(
        iso2="TR", name={"en": "Türkiye", "de": "Unser Name"}, status=CountryStatus.OTHER, protocol_order=7
    )

    out = io.StringIO()
    call_command("load_countries", stdout=out)

    country = Country.objects.get(iso2="TR")
    assert out.getvalue() == "194 new, 1 completed, 195 in the list\n"
    assert country.name["en"] == "Türkiye"
    assert country.name["de"] == "Unser Name"
    assert country.name["fr"] == "Turquie"
    assert "Turkey" in country.aliases
    assert (country.status, country.protocol_order) == (CountryStatus.OTHER, 7)


@pytest.mark.shared
@pytest.mark.skipif(not STATES.exists(), reason="../shared is not here")
def test_states_and_partners_are_those_the_organisation_prints() -> None:
    with STATES.open(encoding="utf-8") as file:
        printed = [(row["name"], row["iso2"], row["status"]) for row in csv.DictReader(file)]

    ours = [(entry["name"]["en"], entry["iso2"], entry["status"]) for entry in countries.listed()]
    assert ours[: len(printed)] == printed
