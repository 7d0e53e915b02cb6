"""Checks of a programme before it is published: what is missing or contradicts itself, with the row it is about.

Each app registers what it checks, in AppConfig.ready(), as with the programme file: this module knows no persons and no
admissions. Every check reads with a fixed number of queries, whatever the size of the conference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import dates, translation

from alliance import languages
from alliance.languages import Translations
from events.models import (
    Conference,
    ConferenceDay,
    Material,
    Recommendation,
    Reference,
    Segment,
    Session,
    SessionKind,
    SessionState,
    TextSection,
)


class Severity(StrEnum):
    """Errors contradict themselves or mislead people; warnings are for a person to judge and never block."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Row:
    """What a finding is about. key is the public id, or the stable key where the row has one."""

    kind: str
    key: str
    admin_url: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. code is stable: scripts may rely on it. text is an English sentence for organisers."""

    severity: Severity
    code: str
    text: str
    row: Row


def error(code: str, text: str, row: Row) -> Finding:
    """A finding that keeps a programme from being right."""
    return Finding(Severity.ERROR, code, text, row)


def warning(code: str, text: str, row: Row) -> Finding:
    """A finding that may be as meant."""
    return Finding(Severity.WARNING, code, text, row)


def row_of(instance: models.Model) -> Row:
    """The row of an instance, with its page in the admin. Side events have a page of their own."""
    kind = instance._meta.model_name or ""
    if isinstance(instance, Session) and instance.is_side_event:
        kind = "sideevent"
    key = next(
        (str(value) for name in ("key", "slug", "public_id") if (value := getattr(instance, name, None))),
        str(instance.pk),
    )
    path = reverse(f"admin:{instance._meta.app_label}_{kind}_change", args=[instance.pk])
    return Row(kind, key, settings.SITE_URL + path)


def title(instance: Conference | Session) -> str:
    """The English title in quotation marks, for sentences."""
    return f"“{instance.title.best('en').text}”"


@dataclass(frozen=True, slots=True)
class Programme:
    """A conference with what every check needs. Cancelled sessions are left out: nothing about them is urgent."""

    conference: Conference
    days: list[ConferenceDay] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    def local(self, instant: datetime) -> datetime:
        """The instant by the clock of the venue."""
        return instant.astimezone(self.conference.zone)


Check = Callable[[Programme], Iterable[Finding]]

_checks: dict[str, tuple[int, Check]] = {}


def register(name: str, order: int, check: Check) -> None:
    """Make a check known. Findings stand in the order of their checks; names are given once."""
    if name in _checks and _checks[name][1] is not check:
        raise ValueError(f"the check {name} is registered already")
    _checks[name] = (order, check)


def run(conference: Conference) -> list[Finding]:
    """All findings about a conference: errors first, then in the order of checks and of the programme."""
    sessions = (
        Session.objects.filter(conference=conference)
        .exclude(state=SessionState.CANCELLED)
        .select_related("day", "room")
        .in_programme_order()
    )
    days = ConferenceDay.objects.filter(conference=conference).order_by("number")
    programme = Programme(conference, list(days), list(sessions))
    with translation.override("en"):  # the sentences are English, and so are the names of roles and modes in them
        found = [
            finding
            for _name, (_order, check) in sorted(_checks.items(), key=lambda item: (item[1][0], item[0]))
            for finding in check(programme)
        ]
    return sorted(found, key=lambda finding: finding.severity != Severity.ERROR)


def untranslated(conference: Conference, what: str, texts: Iterable[Translations]) -> Iterator[Finding]:
    """One warning for each language that lacks some of the texts, with the count. Empty texts need no translation."""
    written = [text for text in texts if text]
    for code in languages.codes():
        missing = sum(not text.get(code) for text in written)
        if missing:
            sentence = f"{missing} of {len(written)} texts of {what} are missing in {code}."
            yield warning("translation_missing", sentence, row_of(conference))


def register_checks() -> None:
    """Make the checks of this app known. Called in AppConfig.ready()."""
    register("days", 10, check_days)
    register("sessions", 20, check_sessions)
    register("addresses", 60, check_addresses)
    register("translations", 80, check_translations)


# --- days -----------------------------------------------------------------------------------------------------------

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
    return weekdays, months


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
        row = Row("conferenceday", str(day.number), row_of(conference).admin_url)
        if first is not None and last is not None and not first <= day.date <= last:
            text = f"Day {day.number} is on {day.date:%Y-%m-%d}, outside the conference ({first} to {last})."
            yield error("day_outside_conference", text, row)
        if label_contradicts(day):
            text = f"Day {day.number} is printed as “{day.label_printed}”, but its date is {day.date:%A %Y-%m-%d}."
            yield error("day_label_differs", text, row)


# --- sessions -------------------------------------------------------------------------------------------------------


def check_sessions(programme: Programme) -> Iterator[Finding]:
    """Times and languages of sessions. A session without languages of its own has those of the conference."""
    conference = programme.conference
    if conference.interpretation_languages and not conference.working_languages:
        text = f"{title(conference)} has interpretation, but no working language to interpret from."
        yield error("interpretation_without_language", text, row_of(conference))
    for session in programme.sessions:
        yield from _check_time(programme, session)
        if session.kind == SessionKind.BREAK or session.working_languages or conference.working_languages:
            continue
        row = row_of(session)
        if session.interpretation_languages:
            text = f"{title(session)} has interpretation, but no working language to interpret from."
            yield error("interpretation_without_language", text, row)
        else:
            yield warning("language_missing", f"{title(session)} has no working language.", row)


def _check_time(programme: Programme, session: Session) -> Iterator[Finding]:
    conference, day, row = programme.conference, session.day, row_of(session)
    if session.starts_at is None or session.ends_at is None:
        yield warning("time_missing", f"{title(session)} has no time.", row)
        days = [day.date] if day is not None else []
    else:
        start, end = programme.local(session.starts_at), programme.local(session.ends_at)
        days = [start.date()]
        if day is not None and start.date() != day.date:
            text = f"{title(session)} starts on {start:%Y-%m-%d %H:%M}, but stands in day {day.number} ({day.date})."
            yield error("time_outside_day", text, row)
        elif end.date() > start.date() and end.time() != end.time().min:
            text = (
                f"{title(session)} starts on {start:%Y-%m-%d %H:%M} and ends after midnight, on {end:%Y-%m-%d %H:%M}."
            )
            yield warning("ends_after_midnight", text, row)
    first, last = conference.starts_on, conference.ends_on
    if first is not None and last is not None and any(not first <= date <= last for date in days):
        text = f"{title(session)} is on {days[0]:%Y-%m-%d}, outside the conference ({first} to {last})."
        yield error("outside_conference", text, row)


# --- addresses ------------------------------------------------------------------------------------------------------

_PUNCTUATION = ".,;:!?'\"’”»…"
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<"}
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECOND_SCHEME = re.compile(r"^https?:/*https?:?/", re.IGNORECASE)


def is_damaged(url: str) -> bool:
    """Whether an address cannot be followed as it stands: broken by a line end, typed twice, without a host."""
    if any(char.isspace() or not char.isprintable() or char in '<>"\\' for char in url):
        return True
    if _BROKEN_PERCENT.search(url) or _SECOND_SCHEME.match(url):
        return True
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return True
    host = parts.hostname or ""
    return parts.scheme not in {"http", "https"} or "." not in host.strip(".") or ".." in host


def ends_in_punctuation(url: str) -> bool:
    """Whether the end belongs to the sentence around the address; a bracket does where nothing opens it."""
    last = url[-1:]
    opening = _BRACKETS.get(last)
    if opening is not None:
        return url.count(last) > url.count(opening)
    return bool(last) and last in _PUNCTUATION


def _check_address(url: str, name: str, row: Row) -> Iterator[Finding]:
    if not url:
        return
    if is_damaged(url):
        yield error("address_damaged", f"The {name} is damaged: {url}", row)
    elif ends_in_punctuation(url):
        yield warning("address_ends_in_punctuation", f"The {name} ends in punctuation: {url}", row)


def check_addresses(programme: Programme) -> Iterator[Finding]:
    """Addresses that people will follow. One that is marked as broken is not shown as a link: only a warning."""
    conference = programme.conference
    yield from _check_address(conference.livestream_url, "livestream address", row_of(conference))
    yield from _check_address(conference.event_page_url, "event page", row_of(conference))
    for session in programme.sessions:
        row = row_of(session)
        if session.registration_url_is_broken:
            text = f"{title(session)} has a registration address marked as broken: {session.registration_url}"
            yield warning("address_marked_broken", text, row)
        else:
            yield from _check_address(session.registration_url, f"registration address of {title(session)}", row)
    references = Reference.objects.filter(conference=conference).order_by("pk")
    for reference in references:
        for url in (reference.url, reference.second_url):
            name = f"address of reference {reference.number_printed} ({reference.document})"
            yield from _check_address(url, name, row_of(reference))
    materials = Material.objects.filter(conference=conference).order_by("position", "pk")
    for material in materials:
        name = f"address of “{material.title.best('en').text or material.kind}”"
        yield from _check_address(material.url, name, row_of(material))


# --- translations ---------------------------------------------------------------------------------------------------


def check_translations(programme: Programme) -> Iterator[Finding]:
    """How many texts of the programme each language lacks."""
    conference = programme.conference
    texts: list[Translations] = [
        conference.title,
        conference.level,
        conference.theme,
        conference.theme_subtitle,
        conference.goal,
        conference.description,
    ]
    rooms = {session.room_id: session.room.name for session in programme.sessions if session.room is not None}
    texts += rooms.values()
    for session in programme.sessions:
        texts += [session.title, session.summary, session.call_to_action, session.audience, session.join_link_rule]
    within = {"session__in": [session.pk for session in programme.sessions]}
    texts += Segment.objects.filter(**within).values_list("heading", flat=True)
    for section in TextSection.objects.filter(**within):
        texts += [section.heading, section.text]
    for recommendation in Recommendation.objects.filter(**within):
        texts += [recommendation.text, recommendation.addressee]
    yield from untranslated(conference, "the programme", texts)
