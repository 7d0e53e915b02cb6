"""Admissions in a programme file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from alliance.languages import Translations
from events.models import Conference, CountryStatus, Format, Organisation, RegistrationMode, Session
from events.programme_file import sections
from events.programme_file.bodies import ORGANISATIONS
from events.programme_file.changes import Changes
from events.programme_file.conference import frame, session_entries
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export
from events.programme_file.sections import Write
from registration.figures import statistics_file
from registration.models import Admission, ApprovalMode, AttendanceMode, Category, Figure, Places, Reserve

ADMISSION_SETTINGS = {
    "opens_at": "opens_at",
    "closes_at": "closes_at",
    "approval": "approval",
    "waiting": "waiting",
    "claim_hours": "claim_hours",
    "categories": "audience_categories",
    "country_statuses": "audience_country_statuses",
    "note": "note",
    "closed": "is_closed",
}
# What an announced audience lets in without approval, by the words programmes use.
AUDIENCE_STATUSES = {
    "participating states": [CountryStatus.PARTICIPATING_STATE],
    "partners for co-operation": [CountryStatus.ASIAN_PARTNER, CountryStatus.MEDITERRANEAN_PARTNER],
}
AUDIENCE_CATEGORIES = {
    "executive structures": Category.EXECUTIVE_STRUCTURE,
    "field operations": Category.FIELD_OPERATION,
    "civil society": Category.CIVIL_SOCIETY,
    "academia": Category.ACADEMIA,
}


def register_sections() -> None:
    """Make the parts of this app known. Called in AppConfig.ready()."""
    sections.register("admissions", 70, load_admissions, export_admissions, shared=(Admission, Places))
    sections.register(
        "statistics", 80, statistics_file.load_statistics, statistics_file.export_statistics, models=(Figure,)
    )


# --- admissions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Door:
    """An admission as the file gives it: values it always says, and those for a new row only."""

    entry: Entry
    session: str
    mode: str
    capacity: int | None
    values: dict[str, Any]
    new: dict[str, Any] = field(default_factory=dict)
    organisations: list[str] | None = None
    reserves: list[dict[str, Any]] | None = None  # None: the file does not say


def load_admissions(document: Document) -> Write:
    """Who may come. An `admissions` list says all; without it a side event with our own form gets one.

    What the file does not say (opening times, approval) belongs to the organisers and stays as they set it.
    """
    within = frame(document)
    entry = document.root.entry("conference")
    doors = [] if entry is None else _explicit(entry, "")
    for part in session_entries(document):
        listed = _explicit(part, part.text("key"))
        derived = _derived(part)
        doors += listed if "admissions" in part else derived

    def write(changes: Changes) -> None:
        conference = changes.row(Conference, within.key)
        keys = {session.pk: key for key, session in changes.table_of(Session).rows.items()}
        rows = Admission.objects.filter(conference=conference).select_related("places")
        table = changes.table(
            Admission,
            rows.prefetch_related("audience_organisations").order_by("pk"),
            key=lambda row: f"{keys[row.session_id] if row.session_id else within.key} ({row.mode})",
        )
        for door in doors:
            key = f"{door.session or within.key} ({door.mode})"
            session = changes.optional_row(Session, door.session)
            new = {"conference": conference, "session": session, "mode": door.mode} | door.new
            admission = table.put(key, door.values, new=new, line=door.entry.line)
            if door.organisations is not None:
                named = [changes.row(Organisation, name) for name in door.organisations]
                table.put_related(key, "audience_organisations", named)
            _put_capacity(changes, admission, door, key)
            if door.reserves is not None:
                _put_reserves(changes, admission, door.reserves, key)

    return write


def _put_capacity(changes: Changes, admission: Admission, door: Door, key: str) -> None:
    """Set the places. People on the waiting list are promoted by the next round of the worker."""
    places = Places.objects.get(admission=admission)
    if places.capacity != door.capacity:
        if not changes.table_of(Admission).is_new(key):
            changes.table_of(Admission).note(key, "capacity", places.capacity, door.capacity)
        Places.objects.filter(pk=places.pk).update(capacity=door.capacity)


def _put_reserves(changes: Changes, admission: Admission, wanted: list[dict[str, Any]], key: str) -> None:
    """Keep what stands in the file as it stands there, set up what is new, and give back what is not there any more.

    A reserve is the same while it is for the same categories. The next round of the worker serves the waiting list.
    """
    Places.objects.select_for_update(no_key=True).get(pk=admission.pk)
    present = list(Reserve.objects.holding().filter(admission=admission))
    before = [_reserve_facts(reserve) for reserve in present]
    if sorted(before, key=str) == sorted(wanted, key=str):
        return
    if not changes.table_of(Admission).is_new(key):
        changes.table_of(Admission).note(key, "reserves", len(before), len(wanted))
    for facts in wanted:
        same = next((reserve for reserve in present if reserve.categories == facts["categories"]), None)
        if same is None:
            Reserve.objects.create(admission=admission, **facts)
        else:
            present.remove(same)
            Reserve.objects.filter(pk=same.pk).update(places=facts["places"], returns_at=facts["returns_at"])
    for reserve in present:
        if reserve.registrations.exists():
            Reserve.objects.filter(pk=reserve.pk).update(released_at=timezone.now())
        else:
            reserve.delete()


def _reserve_facts(reserve: Reserve) -> dict[str, Any]:
    return {"categories": list(reserve.categories), "places": reserve.places, "returns_at": reserve.returns_at}


def _reserves(part: Entry, capacity: int | None) -> list[dict[str, Any]] | None:
    """The reserves of an admission as the file lists them; None where it says nothing about them."""
    if "reserves" not in part:
        return None
    found: list[dict[str, Any]] = []
    places: list[int] = []
    for entry in part.entries("reserves"):
        named = entry.texts("categories")
        if not named:
            entry.problem("categories", "names nobody")
        for category in sorted(set(named) - set(Category.values)):
            entry.problem("categories", f"“{category}” is not known")
        categories = [category for category in Category.values if category in named]
        places.append(entry.integer("places", required=True, least=1) or 1)
        found.append({"categories": categories, "places": places[-1], "returns_at": entry.instant("returns_at")})
    if capacity is not None and sum(places) > capacity:
        part.problem("reserves", f"come to more than the capacity of {capacity}")
    return found


def _explicit(entry: Entry, session: str) -> list[Door]:
    """The admissions that the file lists, our addition to the format."""
    doors: list[Door] = []
    for part in entry.entries("admissions"):
        mode = part.choice("mode", AttendanceMode, default=AttendanceMode.ONLINE, required=True)
        if any(door.mode == mode for door in doors):
            part.problem("mode", f"{mode} stands twice")
        values = part.settings(Admission, ADMISSION_SETTINGS)
        opens_at, closes_at = values.get("opens_at"), values.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            part.problem("closes_at", "is not after opens_at")
        capacity = part.integer("capacity")
        organisations = part.refer_all("organisations", ORGANISATIONS) if "organisations" in part else None
        reserves = _reserves(part, capacity)
        doors.append(Door(part, session, mode, capacity, values, organisations=organisations, reserves=reserves))
    return doors


def _derived(entry: Entry) -> list[Door]:
    """The admission that follows from "own_form", capacity and audience as announced."""
    capacity = entry.integer("capacity")
    registration = entry.entry("registration")
    lines = entry.lines("audience")
    if registration is None or registration.text("mode") != RegistrationMode.OWN_FORM:
        if capacity is not None and "admissions" not in entry:
            entry.problem("capacity", "is given, but there is no registration with our own form and no admissions")
        return []
    form = entry.text("mode")
    modes = {
        Format.IN_PERSON: [AttendanceMode.IN_PERSON],
        Format.HYBRID: [AttendanceMode.IN_PERSON, AttendanceMode.ONLINE],
    }.get(Format(form) if form in Format.values else Format.ONLINE, [AttendanceMode.ONLINE])
    rule = audience_rule(lines)
    return [Door(entry, entry.text("key"), mode, capacity, {}, new=rule) for mode in modes]


def audience_rule(lines: Translations) -> dict[str, Any]:
    """Who gets in without approval, read from the announced groups. Groups it does not know wait for approval."""
    text = lines.get("en", "").lower()
    if not text:
        return {}
    return {
        "approval": ApprovalMode.AUDIENCE,
        "audience_country_statuses": [
            status for words, statuses in AUDIENCE_STATUSES.items() if words in text for status in statuses
        ],
        "audience_categories": [category for words, category in AUDIENCE_CATEGORIES.items() if words in text],
    }


def export_admissions(export: Export) -> None:
    """Who may come, in full; an empty list where our own form has no admission behind it."""
    conference = export.conference
    whole: list[dict[str, Any]] = []
    with_form = conference.sessions.filter(registration_mode=RegistrationMode.OWN_FORM)
    for pk in with_form.values_list("pk", flat=True):
        export.session(pk)["admissions"] = []
    rows = Admission.objects.filter(conference=conference).select_related("places", "session")
    holding = Prefetch("reserves", Reserve.objects.holding())
    for row in rows.prefetch_related("audience_organisations", holding).order_by("session", "-mode"):
        settings = export.settings(row, ADMISSION_SETTINGS)
        entry = {"mode": row.mode, "capacity": row.places.capacity, **settings, "closed": row.is_closed}
        entry["organisations"] = sorted(filter(None, map(export.organisation, row.audience_organisations.all())))
        if reserves := [_reserve_facts(reserve) for reserve in row.reserves.all()]:
            entry["reserves"] = reserves
        into = whole if row.session_id is None else export.session(row.session_id).setdefault("admissions", [])
        into.append(entry)
    if whole:
        export.root.setdefault("conference", {})["admissions"] = whole
