"""The conference of a programme file: its series, place, days, resources and report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.text import slugify

from alliance.languages import Translations
from alliance.time import LocalTimeProblem, offset_text, to_instant
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Country,
    Material,
    Organisation,
    Room,
    SegmentVisibility,
    Series,
    Venue,
)
from events.programme_file.bodies import COUNTRIES, ORGANISATIONS
from events.programme_file.changes import Changes
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export, texts, without_empty
from events.programme_file.sections import Write
from events.programme_file.wording import readable

CONFERENCE_FACTS = {
    "edition": "edition",
    "title": "title",
    "title_variants": "title_aliases",
    "level": "level",
    "theme": "theme",
    "theme_subtitle": "theme_subtitle",
    "goal": "goal",
    "anniversaries": "anniversaries",
    "start_date": "starts_on",
    "end_date": "ends_on",
    "timezone": "time_zone",
    "format": "format",
    "platform": "platform_label",
    "livestream": "is_livestreamed",
    "livestream_url_printed": "livestream_url",
    "hashtag": "hashtag",
    "twitter_account": "social_account",
    "event_page_url": "event_page_url",
}
CONFERENCE_SETTINGS = {
    "kind": "kind",
    "state": "state",
    "visibility": "visibility",
    "description": "description",
    "date_precision": "date_precision",
    "results_disclaimer": "results_disclaimer",
    "neutral_title": "neutral_title",
    "note": "internal_note",
}
CONTACT_FACTS = {
    "address": "contact_address",
    "phone": "contact_phone",
    "fax": "contact_fax",
    "email": "contact_email",
    "web": "contact_web",
}
# Wording of the source that no rule reads: kept for the record under the same names.
CONFERENCE_RECORD = ("format_printed", "timezone_text_printed")
VENUE_SETTINGS = {"address": "address", "footnote": "footnote"}
MATERIAL_FACTS = {
    "kind": "kind",
    "title": "title",
    "publisher": "publisher",
    "place": "place",
    "year": "year",
}
ROOM_SETTINGS = {"capacity": "capacity"}
MATERIAL_SETTINGS = {"language": "language", "visibility": "visibility", "published_on": "published_on"}

# Languages by the English name that programmes print; others are kept as printed.
LANGUAGE_CODES = {
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "spanish": "es",
    "russian": "ru",
}


_LANGUAGE_NAMES = {code: name.capitalize() for name, code in LANGUAGE_CODES.items()}


def language_names(codes: list[str] | None) -> list[str] | None:
    """Languages as programmes print them: the inverse of language_codes."""
    return None if codes is None else [_LANGUAGE_NAMES.get(code, readable(code)) for code in codes]


VenueFinder = Callable[[Changes, int | None], Venue]


def language_codes(entry: Entry, key: str) -> list[str] | None:
    """A list of languages as codes where the name is known; None where the file does not say."""
    names = entry.texts(key, longest=40)
    if not entry.has(key):
        return None
    return [LANGUAGE_CODES.get(name.lower(), name) for name in names]


def record(entry: Entry, keys: tuple[str, ...]) -> dict[str, Any]:
    """The wording of the source under its own keys; what the file does not give is left out."""
    return {key: value for key in keys if (value := entry.data(key)) not in (None, [], "")}


@dataclass(frozen=True, slots=True)
class Frame:
    """What times inside the conference are measured by: its key, days and clock."""

    key: str
    zone: str
    starts_on: date | None
    ends_on: date | None

    def instant(self, entry: Entry, key: str, day: date | None) -> datetime | None:
        """The instant of a local clock time on a day of the conference; None where the file gives no time."""
        if entry.is_instant(key):
            return self._dated(entry, key)
        clock = entry.clock(key)
        if clock is None:
            return None
        if day is None:
            entry.problem(key, "has a time but no date")
            return None
        try:
            return to_instant(day, clock, zone=self.zone)
        except LocalTimeProblem as error:
            entry.problem(key, str(error))
            return None

    def _dated(self, entry: Entry, key: str) -> datetime | None:
        """An instant with its own date: what ends after midnight, or is in an hour that comes twice."""
        instant = entry.instant(key)
        if instant is not None and self.starts_on and self.ends_on:
            local = instant.astimezone(ZoneInfo(self.zone))
            if not self.starts_on <= local.date() <= self.ends_on + timedelta(days=1):
                dates = f"from {self.starts_on} to {self.ends_on}"
                entry.problem(key, f"{local:%Y-%m-%d %H:%M} is outside the conference, which is {dates}")
        return instant

    def span(self, entry: Entry, day: date | None, start: str = "start", end: str = "end") -> dict[str, Any]:
        """Start and end as values for starts_at and ends_at."""
        starts_at, ends_at = self.instant(entry, start, day), self.instant(entry, end, day)
        if (starts_at is None) != (ends_at is None):
            missing = end if ends_at is None else start
            if not entry.has(missing):
                entry.problem(missing, "is missing: give both start and end, or neither")
        elif starts_at is not None and ends_at is not None and ends_at <= starts_at:
            entry.problem(end, "is not after the start")
        return {"starts_at": starts_at, "ends_at": ends_at}

    def day(self, entry: Entry, key: str = "date") -> date | None:
        """A day that must lie within the conference."""
        day = entry.day(key)
        if day and self.starts_on and self.ends_on and not self.starts_on <= day <= self.ends_on:
            entry.problem(key, f"{day} is outside the conference, which is from {self.starts_on} to {self.ends_on}")
        return day


def frame(document: Document) -> Frame:
    """The frame of the file's conference. Raises InvalidFile when there is no conference in it."""
    entry = document.root.entry("conference", required=True)
    if entry is None:
        document.problems.stop()
        raise AssertionError("a missing conference is a problem")
    zone = entry.text("timezone") or "Europe/Vienna"
    try:
        ZoneInfo(zone)
    except (ValueError, KeyError, OSError):
        zone = "UTC"  # the zone itself is reported by the field's validator
    return Frame(entry.key("key"), zone, entry.day("start_date"), entry.day("end_date"))


def load_conference(document: Document) -> Write:
    """The conference with its series, venue and days."""
    within = frame(document)
    entry = document.root.entry("conference")
    assert entry is not None  # noqa: S101 - frame() has raised otherwise
    values = entry.facts(Conference, CONFERENCE_FACTS)
    optional = entry.settings(Conference, CONFERENCE_SETTINGS)
    _check_dates(entry, within)
    contact = entry.entry("contact")
    values |= contact.facts(Conference, CONTACT_FACTS) if contact else dict.fromkeys(CONTACT_FACTS.values(), "")
    values["working_languages"] = language_codes(entry, "working_languages")
    values["interpretation_languages"] = language_codes(entry, "interpretation_languages")
    values["archive_text"] = record(entry, CONFERENCE_RECORD)
    if sources := document.root.texts("sources"):
        values["archive_text"]["sources"] = sources
    values["report"] = document.root.data("report") or {}
    series = entry.translated("series")
    if values["edition"] is not None and not series:
        entry.problem("edition", "needs a series")
    series_key = entry.key("series_key", required=False, longest=100)
    organiser, chairmanship = (entry.refer(key, ORGANISATIONS) for key in ("organiser", "chairmanship"))
    venue = venue_of(entry)
    days = _days(document, within)
    # A file that tells what came out of a meeting is about one that is over.
    state = ConferenceState.CLOSED if values["report"] else ConferenceState.PUBLISHED

    def write(changes: Changes) -> None:
        row = Conference.objects.filter(slug=within.key).select_related("series", "venue")
        values["series"] = None
        if series:
            key = series_key or slugify(series.best("en").text)[:100]
            table = changes.table(Series, Series.objects.filter(key=key), key=lambda found: found.key)
            values["series"] = table.put(key, {"name": series}, new={"key": key}, line=entry.line_of("series"))
        current = row.first()
        values["venue"] = venue(changes, current.venue_id if current else None) if venue else None
        values["organiser"] = changes.optional_row(Organisation, organiser)
        values["chairmanship"] = changes.optional_row(Organisation, chairmanship)
        conferences = changes.table(Conference, row, key=lambda found: found.slug)
        conference = conferences.put(
            within.key, values | optional, new={"slug": within.key, "state": state} | optional, line=entry.line
        )
        table_of_days = changes.table(
            ConferenceDay, ConferenceDay.objects.filter(conference=conference), key=lambda day: str(day.number)
        )
        for number, line, day, label in days:
            table_of_days.put(
                str(number),
                {"date": day, "label_printed": label},
                new={"conference": conference, "number": number},
                line=line,
            )

    return write


def _check_dates(entry: Entry, within: Frame) -> None:
    """Pairs, order, and what the file computed itself from the zone data."""
    if (within.starts_on is None) != (within.ends_on is None):
        entry.problem("start_date", "give both start_date and end_date, or neither")
    if within.starts_on and within.ends_on and within.ends_on < within.starts_on:
        entry.problem("end_date", f"{within.ends_on} is before start_date {within.starts_on}")
    offset = entry.text("utc_offset_on_these_dates")
    abbreviation = entry.text("timezone_abbreviation_on_these_dates")
    if within.starts_on is None:
        return
    noon = datetime.combine(within.starts_on, time(12), ZoneInfo(within.zone))
    if offset and offset != f"{noon:%z}"[:3] + ":" + f"{noon:%z}"[3:5]:
        entry.problem("utc_offset_on_these_dates", f"is {offset}, but {within.zone} is {offset_text(noon)} then")
    if abbreviation and abbreviation != noon.tzname():
        text = f"is {abbreviation}, but {within.zone} has {noon.tzname()} then"
        entry.problem("timezone_abbreviation_on_these_dates", text)


def venue_of(entry: Entry) -> VenueFinder | None:
    """A function that finds or makes the venue; None without one. The same name and city is the same place."""
    part = entry.entry("venue")
    if part is None:
        return None
    rooms = [
        (room, room.translated("name", required=True), room.settings(Room, ROOM_SETTINGS))
        for room in part.entries("rooms")
    ]
    name, city = part.translated("name"), part.translated("city", required=True)
    country = part.refer("country", COUNTRIES)
    optional = part.settings(Venue, VENUE_SETTINGS)

    def find(changes: Changes, current: int | None) -> Venue:
        where = changes.optional_row(Country, country)
        same = [
            row
            for row in Venue.objects.filter(country=where).order_by("-pk")
            if (row.city.best("en").text, row.name.best("en").text) == (city.best("en").text, name.best("en").text)
        ]
        # Of several the one that the conference has already, else the oldest.
        table = changes.table(Venue, sorted(same, key=lambda row: row.pk == current), key=lambda row: "venue")
        found = table.put(
            "venue",
            {"name": name, "city": city} | optional,
            new={"country": where},
            line=part.line,
            label=city.best("en").text,
        )
        for room, words, seats in rooms:
            put_room(changes, found, words, seats, line=room.line)
        return found

    return find


def put_room(changes: Changes, venue: Venue, name: Translations, values: dict[str, Any], *, line: int) -> Room:
    """The room of that name at the venue, found or made. Names that are given twice mean the older room."""
    prefix = f"{venue.pk} "
    table = changes.table_or_none(Room)
    if table is None:
        table = changes.table(Room, [], key=lambda row: "")
    if not any(key.startswith(prefix) for key in table.rows):
        for row in Room.objects.filter(venue=venue).order_by("-pk"):
            table.rows[prefix + row.name.best("en").text] = row
    words = name.best("en").text
    return table.put(prefix + words, {"name": name} | values, new={"venue": venue}, line=line, label=words)


def _days(document: Document, within: Frame) -> list[tuple[int, int, date, str]]:
    """Number, line, date and printed label of each day; without a list of days one per date of a session."""
    days = []
    dates: dict[date, int] = {}
    numbers: set[int] = set()
    for entry in document.root.entries("days"):
        number = entry.integer("number", required=True, most=32_767)
        day = within.day(entry)
        label = entry.text("label_printed", longest=120)
        entry.refer_all("items", "sessions")
        if day is None or number is None:
            if "date" not in entry or day is None:
                entry.problem("date", "expected a date such as 2020-07-20")
            continue
        if day in dates:
            entry.problem("date", f"{day} stands twice in days; the first is in line {dates[day]}")
        if number in numbers:
            entry.problem("number", f"{number} stands twice in days")
        dates[day] = entry.line
        numbers.add(number)
        days.append((number, entry.line, day, label))
    if days:
        return days
    found = sorted({day for part in session_entries(document) if (day := within.day(part)) is not None})
    return [(number, 0, day, "") for number, day in enumerate(found, start=1)]


def session_entries(document: Document) -> list[Entry]:
    """Sessions and side events, in the order of the file."""
    return [*document.root.entries("sessions"), *document.root.entries("side_events")]


def load_resources(document: Document) -> Write:
    """Papers and links of the conference as a whole."""
    within = frame(document)
    listed: list[tuple[Entry, str, dict[str, Any]]] = []
    seen: dict[str, int] = {}
    for entry in document.root.entries("resources"):
        url = entry.fact(Material, "url", "url")
        values = entry.facts(Material, MATERIAL_FACTS) | entry.settings(Material, MATERIAL_SETTINGS)
        position = entry.integer("position", most=32_767)
        values["position"] = len(listed) + 1 if position is None else position
        if url in seen:
            entry.problem("url", f"stands twice in resources; the first is in line {seen[url]}")
        seen[url] = entry.line
        listed.append((entry, url, values))

    def write(changes: Changes) -> None:
        conference = changes.row(Conference, within.key)
        rows = Material.objects.filter(conference=conference, session=None)
        table = changes.table(Material, rows, key=lambda row: row.url, name="resource")
        for entry, url, values in listed:
            # They were there before the conference; recordings are made visible by hand.
            new = {"conference": conference, "url": url, "visibility": SegmentVisibility.BEFORE}
            table.put(url, values, new=new, line=entry.line)
        table.remove_others()

    return write


# --- export ---------------------------------------------------------------------------------------------------------


def export_conference(export: Export) -> None:
    """The conference with its series, venue, rooms and days."""
    row = export.conference
    entry: dict[str, Any] = {"key": row.slug}
    if row.series is not None:
        entry["series"] = texts(row.series.name)
        if slugify(row.series.name.best("en").text)[:100] != row.series.key:
            entry["series_key"] = row.series.key
    entry |= export.facts(row, CONFERENCE_FACTS) | export.settings(row, CONFERENCE_SETTINGS)
    entry["contact"] = export.facts(row, CONTACT_FACTS)
    entry["venue"] = _venue_with_rooms(export, row.venue) if row.venue is not None else None
    entry["organiser"] = export.organisation(row.organiser)
    entry["chairmanship"] = export.organisation(row.chairmanship)
    entry |= {name: export.plain(row.archive_text.get(name)) for name in CONFERENCE_RECORD}
    settings = {name: entry[name] for name in CONFERENCE_SETTINGS}
    whole = without_empty(entry) | settings | languages_of(row) | {"livestream": row.is_livestreamed}
    export.root.setdefault("conference", {}).update(whole)  # others may have added to it
    if sources := export.plain(row.archive_text.get("sources")):
        export.root["sources"] = sources
    if row.report:
        export.root["report"] = export.plain(row.report)
    days = [
        without_empty({"number": None, "date": day.date, "label_printed": readable(day.label_printed)})
        | {"number": day.number}
        for day in row.days.order_by("number")
    ]
    listed: dict[int, list[str]] = export.root.pop("items_of_days", {})
    for day in days:
        if day["number"] in listed:
            day["items"] = listed[day["number"]]
    if days:
        order = ("number", "date", "label_printed", "items")
        export.root["days"] = [{name: day[name] for name in order if name in day} for day in days]


def languages_of(row: Any) -> dict[str, Any]:
    """Languages of a conference or session; null where they are not known differs from none."""
    fields = ("working_languages", "interpretation_languages")
    return {name: names for name in fields if (names := language_names(getattr(row, name))) is not None}


def _venue_with_rooms(export: Export, venue: Venue) -> dict[str, Any]:
    return venue_entry(export, venue, Room.objects.filter(venue=venue).order_by("pk"))


def venue_entry(export: Export, venue: Venue, rows: Iterable[Room]) -> dict[str, Any]:
    """A place with some of its rooms."""
    names = {"name": texts(venue.name), "city": texts(venue.city), "country": export.country(venue.country_id)}
    entry = without_empty(names) | export.settings(venue, VENUE_SETTINGS)
    rooms = [{"name": texts(room.name)} | export.settings(room, ROOM_SETTINGS) for room in rows]
    return entry | ({"rooms": rooms} if rooms else {})


def material_entry(export: Export, row: Material, *, usual: str) -> dict[str, Any]:
    """A paper or link without its place in a list. usual: the visibility that a new one gets without saying so."""
    entry = {"kind": row.kind, "title": None, "url": readable(row.url)}
    entry |= export.facts(row, MATERIAL_FACTS) | export.facts(row, MATERIAL_SETTINGS)
    if row.visibility == usual:  # what somebody hides meanwhile must stay hidden when an old file is loaded
        del entry["visibility"]
    return without_empty(entry)


def export_resources(export: Export) -> None:
    """Papers and links of the conference as a whole."""
    entries = []
    rows = Material.objects.filter(conference=export.conference, session=None).order_by("position", "pk")
    for place, row in enumerate(rows, start=1):
        entry = material_entry(export, row, usual=SegmentVisibility.BEFORE)
        if row.position != place:
            entry["position"] = row.position
        entries.append(entry)
    if entries:
        export.root["resources"] = entries
