"""The whole programme of 2020: every value of the file can be found again in the database, in its place.

The test reads the file with PyYAML alone and tells each part anew from the models, written apart from the import. What
is not compared stands in DERIVED and PSEUDONYM_NOTES, with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from alliance.time import zone_label
from events import countries, programme_file
from events.models import (
    Conference,
    Country,
    Material,
    MaterialKind,
    Organisation,
    Reference,
    RegistrationMode,
    SegmentVisibility,
    Session,
)
from registration.models import Admission, Figure, Qualifier
from speakers.models import Contribution, ContributionStatus, Person, TookPart

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not FILE.exists(), reason="../shared is not here")]

LANGUAGES = {"en": "English"}

# Values that follow from others; the import refuses a file in which they do not.
DERIVED = {
    "utc_offset_on_these_dates",  # of the zone, on the date
    "timezone_abbreviation_on_these_dates",  # of the zone, on the date
    "category_sum_derived",  # the sum of the categories
    "other_is_derived",  # kept as Figure.is_derived; told with the figures
}
# Notes about pseudonyms are not taken over, so that they cannot become a trace.
PSEUDONYM_NOTES = {
    "Name changed to protect privacy (footnote 7 of 001). Never ask for, store or link a real name.",
    "Pseudonym. Preceded the panel discussion.",
}


@pytest.fixture
def programme() -> dict[str, Any]:
    """The file as plain data."""
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return data


@pytest.fixture
def loaded(db: None) -> Conference:
    """The conference after the import."""
    programme_file.load(FILE.read_bytes())
    return Conference.objects.get()


def told(value: Any) -> Any:
    """What the file says: without nulls, empty lists and texts, and false for what false is the same as unsaid."""
    if isinstance(value, dict):
        parts = {key: told(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, [], "", {}, False)}
    if isinstance(value, list):
        return [told(part) for part in value]
    return value


def text(value: Any) -> str:
    """The English text of a translated field; it must be the only language."""
    assert set(value) <= {"en"}, value
    return str(value.get("en", ""))


def key(row: Any) -> str | None:
    """The key of a row, None without one."""
    return row.key if row is not None else None


def country(row: Country | None) -> str | None:
    """The English name of a country."""
    return text(row.name) if row is not None else None


def spellings(row: Person | Organisation) -> list[dict[str, str]]:
    """Other spellings with the place where each was found."""
    found: list[dict[str, str]] = told([{"name": n, "where": row.alias_sources.get(n)} for n in row.aliases])
    return found


def test_conference_is_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    c, record = loaded, loaded.archive_text
    assert c.series is not None
    assert c.venue is not None

    in_database = {
        "key": c.slug,
        "series": text(c.series.name),
        "edition": c.edition,
        "title": text(c.title),
        "title_variants": c.title_aliases,
        "level": text(c.level),
        "theme": text(c.theme),
        "theme_subtitle": text(c.theme_subtitle),
        "start_date": c.starts_on,
        "end_date": c.ends_on,
        "timezone": c.time_zone,
        "timezone_text_printed": record["timezone_text_printed"],
        "format": c.format,
        "format_printed": record["format_printed"],
        "venue": {"name": text(c.venue.name), "city": text(c.venue.city), "country": country(c.venue.country)},
        "platform": c.platform_label,
        "livestream": c.is_livestreamed,
        "livestream_url_printed": c.livestream_url,
        "hashtag": c.hashtag,
        "twitter_account": c.social_account,
        "event_page_url": c.event_page_url,
        "organiser": key(c.organiser),
        "chairmanship": key(c.chairmanship),
        "working_languages": c.working_languages,
        "interpretation_languages": c.interpretation_languages,
        "anniversaries": c.anniversaries,
        "goal": text(c.goal),
        "contact": {
            "address": c.contact_address,
            "phone": c.contact_phone,
            "fax": c.contact_fax,
            "email": c.contact_email,
            "web": c.contact_web,
        },
    }

    in_file = {name: value for name, value in programme["conference"].items() if name not in DERIVED}
    assert told(in_database) == told(in_file)
    assert record["sources"] == programme["sources"]
    assert c.report == programme["report"]
    # The computed values of the file, from the zone data.
    opening = Session.objects.get(key="a20-side-1").starts_at
    assert opening is not None
    assert zone_label(opening, zone=c.time_zone, city="Vienna") == "Vienna time (CEST, UTC+2)"


def test_days_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {
            "number": day.number,
            "date": day.date,
            "label_printed": day.label_printed,
            "items": [session.key for session in loaded.sessions.filter(day=day).order_by("position")],
        }
        for day in loaded.days.order_by("number")
    ]

    assert in_database == programme["days"]


def session_as_told(s: Session) -> dict[str, Any]:
    """A session or side event in the words of the file."""
    zone = s.conference.zone
    record = s.archive_text
    texts = {section.kind: text(section.text) for section in s.text_sections.all()}
    video = Material.objects.filter(session=s, kind=MaterialKind.VIDEO).first()
    admission = Admission.objects.filter(session=s).first()
    assert s.day is not None
    return {
        "key": s.key,
        "kind": s.kind,
        "title": text(s.title),
        "title_source": record.get("title_source"),
        "number": s.number,
        "date": s.day.date,
        "position_in_day": s.position,
        "start": f"{s.starts_at.astimezone(zone):%H:%M}" if s.starts_at else None,
        "end": f"{s.ends_at.astimezone(zone):%H:%M}" if s.ends_at else None,
        "time_text_printed": record.get("time_text_printed"),
        "in_conference_agenda": s.is_in_agenda if s.is_side_event else None,
        "mode": s.format,
        "platform": s.platform_label,
        "platform_variants": s.platform_aliases,
        "convenors": [
            {"order": c.position, "organisation": c.organisation.key, "with_unit": key(c.with_unit)}
            for c in s.convenorships.filter(relation="convenor").order_by("position")
        ],
        "collaborators": [
            {"order": c.position, "organisation": c.organisation.key, "source": c.source, "note": c.internal_note}
            for c in s.convenorships.filter(relation="collaborator").order_by("position")
        ],
        "capacity": admission.places.capacity if admission else None,
        "audience": text(s.audience).splitlines(),
        "working_languages": [LANGUAGES[code] for code in s.working_languages],
        "interpretation_languages": s.interpretation_languages,
        "registration": {
            "required": s.registration_mode != RegistrationMode.NONE,
            "mode": s.registration_mode,
            "system": s.registration_system,
            "url": s.registration_url,
            "url_broken_as_printed": s.registration_url_is_broken,
            "join_link_rule": text(s.join_link_rule),
        }
        if s.is_side_event
        else None,
        "sections_printed": record.get("sections_printed"),
        "segments": [
            {
                "order": segment.position,
                "key": segment.key,
                "title_printed": text(segment.heading),
                "in_agenda": segment.visibility == SegmentVisibility.BEFORE,
            }
            for segment in s.segments.order_by("position")
        ],
        "related_video_url": video.url if video else None,
        "reference_numbers": [
            int(number) if number.isdigit() else number for number in record.get("reference_numbers", [])
        ],
        "challenges_or_practices": {
            "kind": s.takeaway_kind,
            "count": s.takeaway_count,
            "note": s.takeaway_note,
        },
        "recommendations": [text(r.text) for r in s.recommendations.order_by("number")],
        "call_to_action": text(s.call_to_action),
        "background": texts.get("background"),
        "objectives": texts.get("objectives"),
        "summary": text(s.summary),
        "sources": record["sources"],
        "contributions": [contribution_as_told(c) for c in s.contributions.order_by("position")],
    }


def contribution_as_told(c: Contribution) -> dict[str, Any]:
    """A contribution in the words of the file."""
    outcomes = {TookPart.YES: "took_part", TookPart.UNKNOWN: "not_mentioned"}
    return {
        "order": c.position,
        "segment": key(c.segment),
        "role": c.role,
        "role_printed": text(c.heading_printed),
        "person": key(c.person),
        "honorific": c.honorific,
        "given_name": c.person.given_name if c.person else None,
        "family_name": c.person.family_name if c.person else None,
        "unnamed_label": text(c.unnamed_label),
        "role_title": text(c.role_title),
        "role_title_in_report": text(c.role_title_in_report),
        "organisation": key(c.organisation),
        "other_organisations": [o.key for o in c.other_organisations.order_by("pk")],
        "country": country(c.country),
        "country_basis": c.country_meaning,
        "status": c.status if c.person else {ContributionStatus.CONFIRMED: "unnamed"}[ContributionStatus(c.status)],
        "final_status": c.final_status,
        "in_programme": c.is_announced,
        "in_report": c.is_in_report,
        "outcome": outcomes[TookPart(c.took_part)],
        "agenda_order": c.agenda_position,
        "delivery": c.delivery,
        "sources": c.sources,
        "note": c.internal_note,
    }


@pytest.mark.parametrize("kind", ["sessions", "side_events"])
def test_sessions_are_told_completely(loaded: Conference, programme: dict[str, Any], kind: str) -> None:
    for entry in programme[kind]:
        for part in entry["contributions"]:
            if part.get("note") in PSEUDONYM_NOTES:
                del part["note"]
            assert (part["given_name"] is None) == (part["person"] is None)

        session = loaded.sessions.get(key=entry["key"])

        assert told(session_as_told(session)) == told(entry)


def test_names_are_printed_as_approved(loaded: Conference, programme: dict[str, Any]) -> None:
    for entry in [*programme["sessions"], *programme["side_events"]]:
        printed = [" ".join(filter(None, (part["given_name"], part["family_name"]))) for part in entry["contributions"]]
        assert [c.name for c in Contribution.objects.filter(session__key=entry["key"]).order_by("position")] == printed


def test_persons_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {
            "id": person.key,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "name_variants": spellings(person),
            "pseudonym": person.is_pseudonym,
            "note": person.internal_note,
        }
        for person in Person.objects.order_by("pk")
    ]

    for entry in programme["persons"]:
        if entry.get("note") in PSEUDONYM_NOTES:
            del entry["note"]
    assert told(in_database) == told(programme["persons"])


def test_organisations_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {
            "id": row.key,
            "name": text(row.name),
            "abbreviation": row.abbreviation,
            "kind": row.kind,
            "part_of": key(row.part_of),
            "country": country(row.country),
            "name_variants": spellings(row),
            "name_derived": row.is_name_derived,
        }
        for row in Organisation.objects.order_by("key")
    ]

    assert told(in_database) == told(sorted(programme["organisations"], key=lambda entry: entry["id"]))


def test_countries_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {"name": country(row), "iso2": row.iso2, "osce_status": row.status} for row in Country.objects.order_by("iso2")
    ]

    assert in_database == sorted(programme["countries"], key=lambda entry: entry["iso2"])


def test_references_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {
            "number": int(row.number_printed) if row.number_printed.isdigit() else row.number_printed,
            "document": row.document,
            "event": key(row.session),
            "cites": row.citation,
            "url": row.url,
            "second_url": row.second_url,
            "accessed": row.accessed_on,
            "note": row.internal_note,
        }
        for row in Reference.objects.filter(conference=loaded).order_by("pk")
    ]

    assert told(in_database) == told(programme["references"])


def test_resources_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    in_database = [
        {
            "kind": row.kind,
            "title": text(row.title),
            "url": row.url,
            "publisher": row.publisher,
            "place": row.place,
            "year": row.year,
        }
        for row in loaded.materials.filter(session=None).order_by("position")
    ]

    assert told(in_database) == told(programme["resources"])


def test_statistics_are_told_completely(loaded: Conference, programme: dict[str, Any]) -> None:
    found = {(row.measure, row.group): row for row in Figure.objects.filter(conference=loaded)}
    taken: set[tuple[str, str]] = set()

    def figure(measure: str, group: str = "") -> Figure:
        taken.add((measure, group))
        return found[measure, group]

    def number(measure: str, group: str) -> Any:
        if (measure, group) not in found:
            return None
        row = figure(measure, group)
        return row.value if row.qualifier == Qualifier.EXACT else {"qualifier": row.qualifier, "value": row.value}

    registered, speakers, quoted = figure("registered"), figure("speaker_countries"), figure("quoted_posts")
    groups = ["", "participating States", "Partners for Co-operation", "other"]
    by_group = [figure("countries", group) for group in groups]
    channels = ["Twitter @osce_cthb", "OSCE social media channels"]
    categories = [
        "state institutions",
        "international and non-governmental organizations",
        "academia and business circles",
    ]
    in_database = {
        "source": registered.source,
        "registered_participants": {
            "qualifier": registered.qualifier,
            "value": registered.value,
            "printed_as": text(registered.printed_as),
            "record_for_series": registered.is_record_for_series,
        },
        "countries": {
            "total": by_group[0].value,
            "participating_states": by_group[1].value,
            "partners_for_cooperation": by_group[2].value,
            "other": by_group[3].value,
            "other_is_derived": [row.is_derived for row in by_group] == [False, False, False, True],
        },
        "by_category": [
            {"category": category, "value": figure("registered", category).value} for category in categories
        ],
        "category_sum_derived": sum(figure("registered", category).value for category in categories),
        "panellist_countries": {"value": speakers.value, "printed_as": text(speakers.printed_as)},
        "social_media": [
            {
                "channel": channel,
                **{name: number(name, channel) for name in ("posts", "impressions", "engagements")},
                **{name: number(name, channel) for name in ("reach", "video_views")},
            }
            for channel in channels
        ],
        "quoted_posts": {"value": quoted.value, "note": quoted.internal_note},
    }

    assert told(in_database) == told(programme["statistics"])
    assert taken == set(found)
    assert {row.source for row in found.values()} == {registered.source}


def test_every_top_level_part_is_told(programme: dict[str, Any]) -> None:
    compared = {"format", "sources", "conference", "days", "sessions", "side_events", "persons", "organisations"}
    compared |= {"countries", "references", "statistics", "resources", "report"}

    assert set(programme) == compared


def test_tbc_and_the_unnamed_seat_survive(loaded: Conference) -> None:
    smith = Contribution.objects.get(person__key="smith-christopher-h")
    seat = Contribution.objects.get(person=None)

    assert (smith.status, smith.final_status) == (ContributionStatus.TBC, ContributionStatus.CONFIRMED)
    assert (str(seat.unnamed_label), seat.status) == (
        "Representative of local authorities",
        ContributionStatus.CONFIRMED,
    )


def test_nothing_is_written_beside_a_pseudonym(loaded: Conference) -> None:
    """Every text and JSON column of every table is searched for the notes that the file has about pseudonyms."""
    everything = [
        str(value)
        for model in apps.get_models()
        for row in model._default_manager.values_list(
            *[
                f.name
                for f in model._meta.concrete_fields
                if isinstance(f, models.CharField | models.TextField | models.JSONField)
            ]
        )
        for value in row
    ]

    assert not [value for value in everything if any(note in value for note in PSEUDONYM_NOTES)]
    pseudonyms = Person.objects.filter(is_pseudonym=True)
    assert len(pseudonyms) == 2
    for person in pseudonyms:
        assert (person.internal_note, person.aliases, person.alias_sources, person.biography) == ("", [], {}, {})
        assert [(c.name_printed, c.internal_note) for c in person.contributions.all()] == [("", "")]


def test_second_import_writes_nothing(loaded: Conference) -> None:
    with CaptureQueriesContext(connection) as queries:
        outcome = programme_file.load(FILE.read_bytes())

    assert not outcome.changed
    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    # 63 KB in less than 60 statements, however many rows: nothing is asked for row by row.
    assert len(queries) <= 60


def test_import_fits_the_countries_of_the_house(db: None) -> None:
    countries.load()

    outcome = programme_file.load(FILE.read_bytes())

    assert not [line for line in outcome.lines if "country" in line]
    assert Country.objects.count() == len(countries.listed())
