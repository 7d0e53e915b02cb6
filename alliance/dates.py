"""Dates and ordinal numbers as each of the six languages prints them.

Django's own formats are those of administrative forms ("July 20, 2020", "20. Juli 2020"); a programme names the
weekday and prints spans, so the wording lives here, in one table.
"""

from __future__ import annotations

from datetime import date, datetime

from django.utils.dateformat import format as django_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

# Django's format letters. F is the month; E in Russian is the month in the case that stands in a date ("июля").
_DAY = {"en": "j F", "fr": "j F", "de": "j. F", "it": "j F", "es": r"j \d\e F", "ru": "j E"}
_DAY_AND_YEAR = {
    "en": "j F Y",
    "fr": "j F Y",
    "de": "j. F Y",
    "it": "j F Y",
    "es": r"j \d\e F \d\e Y",
    "ru": "j E Y г.",
}
_MONTH = {"en": "F Y", "fr": "F Y", "de": "F Y", "it": "F Y", "es": r"F \d\e Y", "ru": "F Y г."}
_CAPITALS = {"en", "de"}  # the others write weekdays and months small, whatever Django's calendar words look like
_WEEKDAY_COMMA = {"de", "es", "ru"}
_FIRST_OF_MONTH = {"fr": "1er ", "it": "1º "}


def _language() -> str:
    return (get_language() or "en").split("-")[0]


def _format(value: date, formats: dict[str, str]) -> str:
    language = _language()
    text = django_format(value, formats.get(language, formats["en"]))
    if language not in _CAPITALS:
        text = text.lower()
    if value.day == 1 and language in _FIRST_OF_MONTH and text.startswith("1 "):
        return _FIRST_OF_MONTH[language] + text[2:]
    return text


def day(value: date, *, with_weekday: bool = True, with_year: bool = True) -> str:
    """One date in the active language: "Monday 20 July 2020", "Montag, 20. Juli 2020", "lundi 20 juillet 2020"."""
    text = _format(value, _DAY_AND_YEAR if with_year else _DAY)
    if not with_weekday:
        return text
    weekday = _format(value, {"en": "l"})
    return f"{weekday}{',' if _language() in _WEEKDAY_COMMA else ''} {text}"


def month(value: date) -> str:
    """A month and its year: "July 2020", "июль 2020 г."."""
    return _format(value, _MONTH)


def season(value: date) -> str:
    """The northern season of a date and its year: "autumn 2019". December counts for the winter of its own year."""
    names = [_("winter"), _("spring"), _("summer"), _("autumn")]
    # Translators: a season and a year, such as "autumn 2019"
    return _("%(season)s %(year)d") % {"season": names[value.month % 12 // 3], "year": value.year}


def span(first: date | None, last: date | None, *, precision: str = "day") -> str:
    """The days of a meeting, no more exact than they are known: "20–22 July 2020", "July 2020", "autumn 2019", "2017".

    precision: day, month, season or year (events.models.DatePrecision). Empty when there is no date.
    """
    if first is None:
        return ""
    last = last or first
    if precision == "year":
        return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"
    if precision == "season":
        return season(first)
    if precision == "month":
        same = (first.year, first.month) == (last.year, last.month)
        return month(first) if same else f"{month(first)} – {month(last)}"
    if first == last:
        return day(first, with_weekday=False)
    if (first.year, first.month) == (last.year, last.month):
        number = f"{first.day}." if _language() == "de" else str(first.day)
        if first.day == 1:
            number = _FIRST_OF_MONTH.get(_language(), number).strip()
        return f"{number}–{day(last, with_weekday=False)}"
    with_year = first.year != last.year
    return f"{day(first, with_weekday=False, with_year=with_year)} – {day(last, with_weekday=False)}"


def clock(instant: datetime) -> str:
    """Hours and minutes of an aware instant in its own zone, 24-hour: "11:30"."""
    return f"{instant:%H:%M}"


def ordinal(number: int) -> str:
    """The number in a row, agreeing with "conference" in the active language: "21st", "21e", "21.", "21ª", "21-я"."""
    language = _language()
    if language == "fr":
        return "1re" if number == 1 else f"{number}e"
    if language == "de":
        return f"{number}."
    if language == "it":
        return f"{number}ª"
    if language == "es":
        return f"{number}.ª"
    if language == "ru":
        return f"{number}-я"
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
