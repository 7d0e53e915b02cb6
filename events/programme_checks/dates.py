"""Weekdays and dates that disagree: in the labels of days, and in what the texts of the programme say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from django.utils import dates, translation

from alliance import languages
from events.models import ConferenceDay
from events.programme_checks import completeness
from events.programme_checks.addresses import is_damaged
from events.programme_checks.core import Finding, Programme, Row, error, row_of, warning

_LETTERS_OR_DIGITS = re.compile(r"\w+")
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)?")
_YEAR = re.compile(r"(?:19|20)\d\d")


@cache
def _calendar_words() -> tuple[dict[str, int], dict[str, int]]:
    """Weekdays (Monday is 0) and months by their names in all languages, in small letters."""
    weekdays: dict[str, int] = {}
    months: dict[str, int] = {}
    for code in languages.codes():
        with translation.override(code):
            weekdays |= {str(name).lower(): number for number, name in dates.WEEKDAYS.items()}
            for names in (dates.MONTHS, dates.MONTHS_ALT):  # MONTHS_ALT: the case that stands in a date
                months |= {str(name).lower(): number for number, name in names.items()}
    return weekdays | _ACCUSATIVES, months


# "On Wednesday" in Russian; the other names are the same in both cases, or stand in the calendar so.
_ACCUSATIVES = {"среду": 2, "пятницу": 4, "субботу": 5}


def label_contradicts(day: ConferenceDay) -> bool:
    """Whether the label as printed names another weekday, day of the month, month or year than the date."""
    weekdays, months = _calendar_words()
    words = [word for word in _LETTERS_OR_DIGITS.findall(day.label_printed.lower()) if word not in {"de", "of", "the"}]
    named = {weekdays[word] for word in words if word in weekdays}
    if named and day.date.weekday() not in named:
        return True
    years = {int(word) for word in words if _YEAR.fullmatch(word)}
    if years and day.date.year not in years:
        return True
    for place, word in enumerate(words):
        if word not in months:
            continue
        beside = (_DAY_OF_MONTH.fullmatch(near) for near in words[max(place - 1, 0) : place + 2])
        numbers = {int(match[1]) for match in beside if match}
        # A month without a number beside it is no date: "may" is also a verb.
        if numbers and (months[word] != day.date.month or day.date.day not in numbers):
            return True
    return False


def check_days(programme: Programme) -> Iterator[Finding]:
    """Days outside the conference, and labels that name another date."""
    conference = programme.conference
    first, last = conference.starts_on, conference.ends_on
    for day in programme.days:
        row = Row("conferenceday", str(day.number), row_of(conference).path)
        if first is not None and last is not None and not first <= day.date <= last:
            text = f"Day {day.number} is on {day.date:%Y-%m-%d}, outside the conference ({first} to {last})."
            yield error("day_outside_conference", text, row)
        if label_contradicts(day):
            text = f"Day {day.number} is printed as “{day.label_printed}”, but its date is {day.date:%A %Y-%m-%d}."
            yield error("day_label_differs", text, row)


_BETWEEN = {"de", "of", "the", "den", "der", "le", "el", "il", "du", "del", "am", "to", "bis", "au", "al", "and", "und"}
_FAR = 6  # words from the weekday to the end of its date
_FIGURES = re.compile(r"\b(\d{1,2})[./](\d{1,2})[./]((?:19|20)\d\d)\b")


def contradictions(text: str, years: set[int]) -> list[str]:
    """The weekdays with a date in a text that cannot be: "Monday, 21 July 2020" was a Tuesday.

    years: what a date without a year may mean; without any such dates are left alone. Days of the month may be several
    ("Monday and Tuesday, 20-21 July"): one that fits is enough.
    """
    weekdays, _months = _calendar_words()
    text = _FIGURES.sub(_spelt, text)
    words = [word for word in _LETTERS_OR_DIGITS.findall(text) if word.lower() not in _BETWEEN]
    found = []
    for place, word in enumerate(words):
        weekday = weekdays.get(word.lower())
        # Before another weekday no date of its own follows: "from Monday to Friday, 3-7 August".
        if weekday is None or any(near.lower() in weekdays for near in words[place + 1 : place + 3]):
            continue
        if place and words[place - 1].lower() in weekdays:
            continue
        dates_named, end = _dates_after(words[place + 1 : place + 1 + _FAR], years)
        if dates_named and weekday not in {named.weekday() for named in dates_named}:
            found.append(" ".join(words[place : place + 1 + end]))
    return found


def _spelt(match: re.Match[str]) -> str:
    """21.07.2020 as 21 July 2020; figures that are no date stay."""
    day, month, year = (int(group) for group in match.groups())
    return f"{day} {dates.MONTHS[month]} {year}" if 1 <= month <= 12 else match[0]


def _dates_after(words: list[str], years: set[int]) -> tuple[list[date], int]:
    """The dates that the words begin with, and how many words they take."""
    _weekdays, months = _calendar_words()
    days: list[int] = []
    month = 0
    end = 0
    for place, word in enumerate(words):
        if day := _DAY_OF_MONTH.fullmatch(word.lower()):
            days.append(int(day[1]))
        elif not month and word.lower() in months:
            month = months[word.lower()]
        elif month and days and _YEAR.fullmatch(word):
            years, end = {int(word)}, place + 1
            break
        else:
            break
        end = place + 1
    if not month:
        return [], 0
    return [named for year in years for day_of in days if (named := _date(year, month, day_of))], end


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_ADDRESS = re.compile(r"https?:[^\s<>\"“”«»„]*", re.IGNORECASE)


def check_texts(programme: Programme) -> Iterator[Finding]:
    """What the texts say: dates that cannot be, and addresses that lead nowhere. A person has to judge: warnings."""
    conference = programme.conference
    years = {day.year for day in (conference.starts_on, conference.ends_on) if day is not None}
    for text in completeness.texts_of(programme):
        for code, words in text.text.items():
            for wrong in dict.fromkeys(contradictions(words, years)):
                sentence = f"A text ({code}) says “{wrong}”, which is another day of the week."
                yield warning("date_in_text_differs", sentence, text.row)
            for address in dict.fromkeys(_ADDRESS.findall(words)):
                address = address.rstrip(".,;:!?'’…)]}")
                if is_damaged(address):
                    yield warning(
                        "address_in_text_damaged", f"A text ({code}) has a damaged address: {address}", text.row
                    )
