"""Persons and their contributions in a programme file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from alliance.languages import Translations
from events.models import Country, Organisation, Segment, SegmentVisibility, Session
from events.programme_file import parts, sections
from events.programme_file.bodies import (
    COUNTRIES,
    ORGANISATIONS,
    export_spellings,
    spellings,
    with_earlier_spellings,
)
from events.programme_file.changes import Changes
from events.programme_file.conference import frame, session_entries
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export, texts, without_empty
from events.programme_file.sections import Write
from events.programme_file.wording import readable
from speakers import protection
from speakers.models import Affiliation, Contribution, ContributionStatus, Person, TookPart

PERSONS = "persons"

PERSON_SETTINGS = {
    "post_nominals": "post_nominals",
    "biography": "biography",
    "sort_name": "sort_name",
}
CONTRIBUTION_FACTS = {
    "agenda_order": "agenda_position",
    "role": "role",
    "role_printed": "heading_printed",
    "honorific": "honorific",
    "post_nominals": "post_nominals",
    "role_title": "role_title",
    "role_title_in_report": "role_title_in_report",
    "country_basis": "country_meaning",
    "topic": "topic",
    "delivery": "delivery",
    "final_status": "final_status",
    "unnamed_label": "unnamed_label",
    "sources": "sources",
}
CONTRIBUTION_SETTINGS = {"visibility": "visibility"}
AFFILIATION_FACTS = {"role_title": "role_title", "since": "since", "until": "until"}
OUTCOMES = {
    "": TookPart.UNKNOWN,
    "took_part": TookPart.YES,
    "not_mentioned": TookPart.UNKNOWN,  # not named in the report is no proof of absence
    "did_not_take_part": TookPart.NO,
}
UNNAMED = "unnamed"


def register_sections() -> None:
    """Make the parts of this app known. Called in AppConfig.ready()."""
    sections.register("persons", 25, load_persons, export_persons, shared=(Person, Affiliation))
    sections.register("contributions", 45, load_contributions, export_contributions, models=(Contribution,))


def known_persons(keys: set[str]) -> set[str]:
    """Those of the keys that persons of earlier files have."""
    return set(Person.objects.filter(key__in=keys).values_list("key", flat=True))


def full_name(entry: Entry) -> str:
    """The name as the file prints it, given name first."""
    return " ".join(filter(None, (entry.text("given_name", longest=120), entry.text("family_name", longest=120))))


def load_persons(document: Document) -> Write:
    """Persons who speak. The same key is the same row in every file. Notes about a pseudonym are not taken over."""
    document.registry(PERSONS, known_persons)
    listed: dict[str, tuple[Entry, dict[str, Any], dict[str, Any], bool]] = {}
    known_as: dict[str, list[tuple[int, str, dict[str, Any]]]] = {}
    for entry in document.root.entries("persons"):
        key = entry.define("id", PERSONS, longest=100)
        given, family = (entry.text(name, longest=120) for name in ("given_name", "family_name"))
        is_pseudonym = entry.boolean("pseudonym")
        values: dict[str, Any] = {
            "given_name": given,
            "family_name": family,
            "display_name": entry.text("display_name", longest=200) or full_name(entry),
            "internal_note": entry.text("note"),
        }
        if not values["display_name"]:
            entry.problem("given_name", "a person needs given_name, family_name or display_name")
        values |= entry.settings(Person, PERSON_SETTINGS) | spellings(entry, longest=200)
        if is_pseudonym:
            # Whatever somebody wrote beside a pseudonym, it must not become a trace (docs/design.md section 4.6).
            values["internal_note"] = ""
            name = values["display_name"]
            if family or given not in {"", name} or values.get("sort_name", "") not in {"", name}:
                entry.problem("pseudonym", "a pseudonym has no other name: give it as given_name or display_name alone")
            if values["aliases"] or values.get("post_nominals") or values.get("biography"):
                entry.problem("pseudonym", "a pseudonym has no other spellings, post-nominals or biography")
            if entry.has("affiliations"):
                entry.problem("affiliations", "a pseudonym stands without affiliations")
        if entry.boolean("hidden"):
            values["is_hidden"] = True  # only ever hidden by a file, never shown again
        affiliations = _affiliations(entry)
        # Where lists are sorted at all, by this; people correct it for names that sort otherwise.
        new = {"sort_name": values["display_name"] if is_pseudonym else sort_name(family, given)}
        listed[key] = (entry, values, new, is_pseudonym)
        known_as[key] = affiliations

    def write(changes: Changes) -> None:
        wanted = {*listed, *(key for key, _line in document.registry(PERSONS).referred)}
        rows = Person.objects.filter(key__in=wanted).order_by("pk")
        table = changes.table(Person, rows, key=lambda row: row.key)
        protected = protection.withheld(row.pk for row in table.rows.values())
        for key, (entry, values, new, is_pseudonym) in listed.items():
            before = table.rows.get(key)
            if before is not None and "biography" in protection.unprinted(protected.get(before.pk)):
                values = {name: value for name, value in values.items() if name != "biography"}
                known_as[key] = []  # as with notes about a pseudonym, it is left out without a word
            if before is not None and before.is_pseudonym and not is_pseudonym:
                text = f"pseudonym: “{key}” is a pseudonym; it stays one, and its name is changed by hand only"
                changes.problems.add(entry.line, text)
                continue
            if before is not None and is_pseudonym and not before.is_pseudonym:
                # The key and the affiliations were made for the real name.
                text = f"pseudonym: “{key}” stands under another name; it is made a pseudonym by hand, with a new key"
                changes.problems.add(entry.line, text)
                continue
            filled = table.keep(with_earlier_spellings(values, before), key) | {"is_pseudonym": is_pseudonym}
            table.put(key, filled, new={"key": key} | new, line=entry.line)
        _write_affiliations(changes, {key: (table.rows[key], known) for key, known in known_as.items() if known})

    return write


def sort_name(family: str, given: str) -> str:
    """What lists are sorted by while nobody says otherwise."""
    return ", ".join(filter(None, (family, given)))


def _affiliations(entry: Entry) -> list[tuple[int, str, dict[str, Any]]]:
    """What a person was, where and when: line, organisation, values."""
    found = []
    for part in entry.entries("affiliations"):
        values = part.facts(Affiliation, AFFILIATION_FACTS)
        if values["since"] and values["until"] and values["until"] < values["since"]:
            part.problem("until", "is before since")
        found.append((part.line, part.refer("organisation", ORGANISATIONS), values))
    return found


def _write_affiliations(changes: Changes, listed: dict[str, tuple[Person, list[Any]]]) -> None:
    """Add affiliations, or correct how long they lasted; none is removed, since all conferences share them."""
    persons = {person.pk: key for key, (person, _known) in listed.items()}
    rows = Affiliation.objects.filter(person__in=persons).select_related("organisation").order_by("pk")
    table = changes.table(
        Affiliation,
        rows,
        key=lambda row: _affiliation_key(
            persons[row.person_id], row.organisation.key if row.organisation else "", row.role_title, row.since
        ),
    )
    for key, (person, known) in listed.items():
        for line, organisation, values in known:
            where = _affiliation_key(key, organisation, values["role_title"], values["since"])
            row = changes.optional_row(Organisation, organisation)
            table.put(where, table.keep(values, where), new={"person": person, "organisation": row}, line=line)


def _affiliation_key(person: str, organisation: str, title: Translations, since: Any) -> str:
    return f"{person}/{organisation} {title.best('en').text} {since or ''}".strip()


def export_persons(export: Export) -> None:
    """The persons who speak. With a pseudonym stands its name, and what the database holds of no other."""
    by_person: dict[int, list[Affiliation]] = {}
    named = [row.pk for row in export.persons.values() if not row.is_pseudonym]
    for row in Affiliation.objects.filter(person__in=named).select_related("organisation").order_by("pk"):
        by_person.setdefault(row.person_id, []).append(row)
    entries = []
    for person in export.persons.values():
        given, family, shown = (readable(getattr(person, name)) for name in _NAMES)
        entry: dict[str, Any] = {"id": person.key, "given_name": given, "family_name": family}
        if shown != " ".join(filter(None, (given, family))):
            entry["display_name"] = shown
        usual = shown if person.is_pseudonym else sort_name(family, given)
        entry |= export.facts(person, {"post_nominals": "post_nominals"})
        entry = without_empty(entry)
        if readable(person.sort_name) != usual:
            entry["sort_name"] = readable(person.sort_name) or None
        if person.is_pseudonym:
            entry |= {"pseudonym": True}
        else:
            entry |= without_empty(
                {
                    "name_variants": export_spellings(person),
                    "biography": texts(person.biography),
                    "affiliations": [_affiliation(export, row) for row in by_person.get(person.pk, [])],
                }
            )
            entry |= {"pseudonym": False}
            entry |= export.facts(person, {"note": "internal_note"})
        if person.is_hidden:
            entry["hidden"] = True
        entries.append(entry)
    if entries:
        export.root["persons"] = entries


_NAMES = ("given_name", "family_name", "display_name")


def _affiliation(export: Export, row: Affiliation) -> dict[str, Any]:
    entry = {"organisation": export.organisation(row.organisation)}
    return without_empty(entry | export.facts(row, AFFILIATION_FACTS))


@dataclass(frozen=True, slots=True)
class Seat:
    """A contribution as the file gives it."""

    entry: Entry
    session: str
    segment: str
    person: str
    name: str
    values: dict[str, Any]
    optional: dict[str, Any]
    is_announced: bool
    note: str
    organisation: str
    others: list[str]
    country: str

    @property
    def identity(self) -> str:
        """What makes it the same seat in an edited file: who, in which session, in which role."""
        who = self.person or self.values["unnamed_label"].best("en").text
        return f"{self.session}/{who} ({self.values['role']})"


def load_contributions(document: Document) -> Write:
    """Who speaks in which session, worded as printed for that occasion."""
    within = frame(document)
    pseudonyms = {
        entry.text("id") for entry in document.root.entries("persons") if entry.boolean("pseudonym")
    }  # fmt: skip
    names = {entry.text("id"): full_name(entry) for entry in document.root.entries("persons")}
    seats = [
        seat for entry in session_entries(document) for seat in _read_session(entry, pseudonyms=pseudonyms, names=names)
    ]

    def write(changes: Changes) -> None:
        sessions = changes.table_of(Session).rows
        keys = {session.pk: key for key, session in sessions.items()}
        rows = (
            Contribution.objects.filter(session__conference__slug=within.key, session__in=list(keys))
            .exclude(~Q(person__key__in=[seat.person for seat in seats]), person__taken_down_at__isnull=False)
            .select_related("person")
            .prefetch_related("other_organisations")
            .order_by("session", "position", "pk")
        )
        existing: dict[str, Contribution] = {}
        for row in rows:
            who = row.person.key if row.person is not None else row.unnamed_label.best("en").text
            existing[_numbered(f"{keys[row.session_id]}/{who} ({row.role})", existing)] = row
        found = {row.pk: key for key, row in existing.items()}
        table = changes.table(Contribution, existing.values(), key=lambda row: found[row.pk])
        protected = protection.everybody_of(seat.person for seat in seats)
        put: dict[str, None] = {}
        for seat in seats:
            key = _numbered(seat.identity, put)
            put[key] = None
            person = changes.optional_row(Person, seat.person)
            shown = SegmentVisibility.BEFORE if seat.is_announced else SegmentVisibility.AFTER
            values = parts.stricter(table.rows.get(key), shown) | seat.values | seat.optional
            values["segment"] = changes.row(Segment, f"{seat.session}/{seat.segment}") if seat.segment else None
            values["organisation"] = changes.optional_row(Organisation, seat.organisation)
            values["country"] = changes.optional_row(Country, seat.country)
            values["is_announced"] = seat.is_announced
            is_pseudonym = person is not None and person.is_pseudonym
            values["internal_note"] = "" if is_pseudonym else seat.note
            differs = person is not None and seat.name not in {"", person.display_name}
            if differs and is_pseudonym:
                changes.problems.add(seat.entry.line, f"“{seat.person}” is a pseudonym and has no other name")
                continue
            values["name_printed"] = seat.name if differs else ""
            shield = protected.get(seat.person)
            values = protection.without(values, shield)
            table.put(key, values, new={"session": sessions[seat.session], "person": person}, line=seat.entry.line)
            others = [] if shield is not None and shield.hides_organisation else seat.others
            table.put_related(key, "other_organisations", [changes.row(Organisation, other) for other in others])
        table.remove_others()

    return write


def _numbered(identity: str, taken: dict[str, Any]) -> str:
    """The identity, with a number where the same person has the same role twice in one session."""
    key, number = identity, 1
    while key in taken:
        number += 1
        key = f"{identity} {number}"
    return key


def _read_session(entry: Entry, *, pseudonyms: set[str], names: dict[str, str]) -> list[Seat]:
    session = entry.text("key")
    segments = {part.text("key") for part in entry.entries("segments")}
    orders: dict[int, int] = {}
    seats = []
    for part in entry.entries("contributions"):
        order = part.integer("order", required=True, most=32_767) or 0
        if order in orders:
            part.problem("order", f"{order} stands twice in this session; the first is in line {orders[order]}")
        orders[order] = part.line
        segment = part.text("segment")
        if segment and segment not in segments:
            part.problem("segment", f"“{segment}” is not a segment of this session")
        seats.append(_read(part, session=session, segment=segment, order=order, pseudonyms=pseudonyms, names=names))
    return seats


def _read(part: Entry, *, session: str, segment: str, order: int, pseudonyms: set[str], names: dict[str, str]) -> Seat:
    person = part.refer("person", PERSONS)
    values = part.facts(Contribution, CONTRIBUTION_FACTS) | {"position": order}
    country = part.refer("country", COUNTRIES)
    if bool(country) != bool(values["country_meaning"]):
        part.problem("country_basis", "country and country_basis belong together: give both or neither")
    label: Translations = values["unnamed_label"]
    if not person and not label:
        part.problem("person", "is missing: give a person, or an unnamed_label for a seat without a name")
    status = part.text("status", required=True)
    is_tbc = part.boolean("tbc")
    if status == UNNAMED:
        if person:
            part.problem("status", "is unnamed, but a person is given")
        # The seat is announced as it stands; only "tbc" prints that it is open. Its label tells that it has no name.
        values["status"] = ContributionStatus.TBC if is_tbc else ContributionStatus.CONFIRMED
    else:
        values["status"] = part.choice("status", ContributionStatus, default=ContributionStatus.INVITED)
        if is_tbc and status != ContributionStatus.TBC:
            part.problem("tbc", f"is true, but the status is {status}")
    outcome = part.text("outcome")
    if outcome not in OUTCOMES:
        part.problem("outcome", f"“{outcome}” is not known. Expected one of: {', '.join(filter(None, OUTCOMES))}")
    values["took_part"] = OUTCOMES.get(outcome, TookPart.UNKNOWN)
    values["is_in_report"] = part.boolean("in_report")
    name = part.text("name_printed", longest=200) or full_name(part)
    if person in pseudonyms and name not in {"", names.get(person)}:
        part.problem("given_name", f"“{person}” is a pseudonym and has no other name")
    return Seat(
        entry=part,
        session=session,
        segment=segment,
        person=person,
        name=name,
        values=values,
        optional=part.settings(Contribution, CONTRIBUTION_SETTINGS),
        is_announced=part.boolean("in_programme", default=True),
        note=part.text("note"),
        organisation=part.refer("organisation", ORGANISATIONS),
        others=part.refer_all("other_organisations", ORGANISATIONS),
        country=country,
    )


def export_contributions(export: Export) -> None:
    """Who speaks in each session, worded as approved for it. Under a pseudonym: no other name and no note."""
    rows = (
        Contribution.objects.filter(session__conference=export.conference, session__taken_down_at=None)
        .exclude(person__taken_down_at__isnull=False)
        .select_related("session__day", "segment", "person", "organisation")
        .prefetch_related("other_organisations")
    )
    ordered = rows.order_by(
        F("session__day__number").asc(nulls_last=True), "session__position", "session__pk", "position", "pk"
    )
    # Persons are listed as they appear. Equal positions: sessions before side events, as a second import puts them.
    for row in sorted(ordered, key=_place):
        export.session(row.session_id).setdefault("contributions", []).append(_contribution(export, row))


def _place(row: Contribution) -> tuple[bool, int, int, bool]:
    day = row.session.day
    return day is None, day.number if day is not None else 0, row.session.position, row.session.is_side_event


_CONTRIBUTION_ORDER = (
    *("order", "segment", "role", "role_printed", "person", "unnamed_label", "name_printed", "honorific"),
    *("post_nominals", "role_title", "organisation", "other_organisations", "country", "country_basis", "topic"),
    *("status", "tbc", "in_programme", "visibility", "in_report", "outcome", "agenda_order", "role_title_in_report"),
    *("delivery", "final_status", "sources", "note"),
)


def _contribution(export: Export, row: Contribution) -> dict[str, Any]:
    if row.person is not None:
        export.persons.setdefault(row.person.key, row.person)
    facts = export.facts(row, CONTRIBUTION_FACTS)
    entry: dict[str, Any] = {
        "order": row.position,
        "segment": row.segment.key if row.segment is not None else None,
        "role": row.role,
        "role_printed": facts.pop("role_printed", None),
        "person": row.person.key if row.person is not None else None,
        "unnamed_label": facts.pop("unnamed_label", None),
        "name_printed": "" if row.is_under_pseudonym else readable(row.name_printed),
        "honorific": facts.pop("honorific", None),
        "post_nominals": facts.pop("post_nominals", None),
        "role_title": facts.pop("role_title", None),
        "organisation": export.organisation(row.organisation),
        "other_organisations": sorted(filter(None, map(export.organisation, row.other_organisations.all()))),
        "country": export.country(row.country_id),
        "country_basis": facts.pop("country_basis", None),
        "status": row.status,
        **facts,
        "note": "" if row.is_under_pseudonym else readable(row.internal_note),
    }
    if row.person is None and row.status in (ContributionStatus.TBC, ContributionStatus.CONFIRMED):
        entry["status"] = UNNAMED
        entry["tbc"] = row.status == ContributionStatus.TBC
    entry["in_report"] = row.is_in_report
    entry["outcome"] = next(word for word, value in OUTCOMES.items() if value == row.took_part)
    entry = without_empty(entry) | {"order": row.position, "in_programme": row.is_announced}
    # What follows from "in_programme" is not said: a file could show what somebody has hidden meanwhile.
    if row.visibility != (SegmentVisibility.BEFORE if row.is_announced else SegmentVisibility.AFTER):
        entry["visibility"] = row.visibility
    return {name: entry[name] for name in _CONTRIBUTION_ORDER if name in entry}
