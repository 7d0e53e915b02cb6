"""Dates and ordinals in six languages."""

from datetime import date

import pytest
from django.utils import translation

from alliance import dates, zones

MONDAY = date(2020, 7, 20)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Monday 20 July 2020"),
        ("fr", "lundi 20 juillet 2020"),
        ("de", "Montag, 20. Juli 2020"),
        ("it", "lunedì 20 luglio 2020"),
        ("es", "lunes, 20 de julio de 2020"),
        ("ru", "понедельник, 20 июля 2020 г."),
    ],
)
def test_day_is_written_as_the_language_writes_it(language: str, expected: str) -> None:
    with translation.override(language):
        assert dates.day(MONDAY) == expected


@pytest.mark.parametrize(
    ("language", "expected"), [("fr", "1er mai 2020"), ("it", "1º maggio 2020"), ("de", "1. Mai 2020")]
)
def test_first_of_a_month_has_its_own_number(language: str, expected: str) -> None:
    with translation.override(language):
        assert dates.day(date(2020, 5, 1), with_weekday=False) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "20–22 July 2020"),
        ("fr", "20–22 juillet 2020"),
        ("de", "20.–22. Juli 2020"),
        ("it", "20–22 luglio 2020"),
        ("es", "20–22 de julio de 2020"),
        ("ru", "20–22 июля 2020 г."),
    ],
)
def test_span_within_a_month_names_the_month_once(language: str, expected: str) -> None:
    with translation.override(language):
        assert dates.span(MONDAY, date(2020, 7, 22)) == expected


@pytest.mark.parametrize(
    ("first", "last", "precision", "expected"),
    [
        (None, None, "day", ""),
        (MONDAY, None, "day", "20 July 2020"),
        (date(2020, 6, 30), date(2020, 7, 2), "day", "30 June – 2 July 2020"),
        (date(2019, 12, 30), date(2020, 1, 2), "day", "30 December 2019 – 2 January 2020"),
        (MONDAY, MONDAY, "month", "July 2020"),
        (date(2018, 11, 1), date(2019, 1, 1), "month", "November 2018 – January 2019"),
        (date(2019, 10, 1), None, "season", "autumn 2019"),
        (date(2019, 12, 1), None, "season", "winter 2019"),
        (date(2017, 1, 1), None, "year", "2017"),
        (date(2018, 1, 1), date(2019, 1, 1), "year", "2018–2019"),
    ],
)
def test_span_is_no_more_exact_than_known(first: date | None, last: date | None, precision: str, expected: str) -> None:
    with translation.override("en"):
        assert dates.span(first, last, precision=precision) == expected


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("en", 1, "1st"),
        ("en", 2, "2nd"),
        ("en", 3, "3rd"),
        ("en", 11, "11th"),
        ("en", 12, "12th"),
        ("en", 13, "13th"),
        ("en", 20, "20th"),
        ("en", 21, "21st"),
        ("en", 111, "111th"),
        ("fr", 1, "1re"),
        ("fr", 21, "21e"),
        ("de", 21, "21."),
        ("it", 21, "21ª"),
        ("es", 21, "21.ª"),
        ("ru", 21, "21-я"),
    ],
)
def test_ordinal_agrees_with_the_language(language: str, number: int, expected: str) -> None:
    with translation.override(language):
        assert dates.ordinal(number) == expected


def test_zones_are_known_places_from_west_to_east() -> None:
    choices = zones.choices()

    assert choices[0].name == "America/Vancouver"
    assert all(zones.find(choice.name) is not None for choice in choices)
    assert zones.find("Asia/Kathmandu") is not None
    assert zones.city("America/Argentina/Buenos_Aires") == "Buenos Aires"


@pytest.mark.parametrize("name", ["", "Etc/GMT+2", "GMT", "UTC", "../etc/passwd", "Europe/Vienna ", "a" * 9999, "\0"])
def test_zone_that_is_no_place_is_not_found(name: str) -> None:
    assert zones.find(name) is None
