"""The tables of this app that a release freezes."""

from __future__ import annotations

import json

from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Convenorship,
    Material,
    Recommendation,
    Reference,
    Segment,
    SegmentVisibility,
    Session,
    SessionKind,
    SessionState,
    TextSection,
    Visibility,
)
from events.releases import tables
from events.releases.tables import ProgrammeTable

_VISIBILITY: dict[str, list[str]] = {"visibility": Visibility.values}  # from open to closed, as they are declared
SEGMENT_VISIBILITY = {"visibility": SegmentVisibility.values}
# Everything but a draft is equally open: only withdrawing a whole conference acts at once.
_CONFERENCE_STATE: dict[str, list[str]] = {"state": [ConferenceState.DRAFT]}
_NOBODYS_NAME = "'~' || id"  # no name and no number is written with this sign
# What readers get of a session that was taken down: that it is not to be had, and when it would have been, for those
# who are registered. Strangers get nothing: it is not public.
_NOT_AVAILABLE = {
    "en": "Not available",
    "fr": "Non disponible",
    "de": "Nicht verfügbar",
    "it": "Non disponibile",
    "es": "No disponible",
    "ru": "Недоступно",
}
_COVERED = {
    "title": f"'{json.dumps(_NOT_AVAILABLE, ensure_ascii=False)}'::jsonb",
    "slug": "'not-available-' || id",
    "key": "'not-available-' || id",
    "state": f"'{SessionState.CANCELLED}'",
    "visibility": f"'{Visibility.INTERNAL}'",
    "kind": f"'{SessionKind.OTHER}'",
    "is_in_agenda": "FALSE",
    **dict.fromkeys(("number", "room_id", "takeaway_count"), "NULL"),
    **dict.fromkeys(("summary", "call_to_action", "audience", "join_link_rule", "archive_text"), "'{}'::jsonb"),
    **dict.fromkeys(("working_languages", "interpretation_languages", "platform_aliases"), "'{}'"),
    **dict.fromkeys(
        (
            "takeaway_kind",
            "takeaway_note",
            "registration_system",
            "registration_url",
            "platform_label",
            "internal_note",
        ),
        "''",
    ),
}
OF_SESSION: dict[str, tuple[type[Session], str]] = {"session_id": (Session, "taken_down_at IS NOT NULL")}
_NOBODYS_KEY = "-id"  # foreign keys are checked at the end of a transaction


def register_tables() -> None:
    """Make them part of what is released."""
    for table in (
        ProgrammeTable(
            Conference,
            path="",
            left_out=["internal_note", "archive_text", "report"],
            tightened=_VISIBILITY | _CONFERENCE_STATE,
        ),
        ProgrammeTable(ConferenceDay, path="conference"),
        ProgrammeTable(
            Session,
            path="conference",
            left_out=["internal_note", "archive_text", "taken_down_at"],
            tightened=_VISIBILITY,
            covered=_COVERED,
            newer_as={"state": SessionState.DRAFT},  # admissions, meetings and figures point at sessions
            aside={"key": _NOBODYS_NAME, "slug": _NOBODYS_NAME},
        ),
        ProgrammeTable(
            Segment,
            path="session__conference",
            tightened=SEGMENT_VISIBILITY,
            aside={"key": _NOBODYS_NAME},
            gone_with=OF_SESSION,
        ),
        ProgrammeTable(
            Convenorship,
            path="session__conference",
            left_out=["internal_note", "source"],
            aside={"organisation_id": _NOBODYS_KEY},
            gone_with=OF_SESSION,
        ),
        ProgrammeTable(TextSection, path="session__conference", gone_with=OF_SESSION),
        ProgrammeTable(
            Recommendation, path="session__conference", aside={"session_id": _NOBODYS_KEY}, gone_with=OF_SESSION
        ),
        ProgrammeTable(
            Reference,
            path="conference",
            left_out=["internal_note"],
            aside={"number_printed": _NOBODYS_NAME},
            gone_with=OF_SESSION,
        ),
        ProgrammeTable(
            Material, path="conference", tightened=SEGMENT_VISIBILITY, later=["published_on"], gone_with=OF_SESSION
        ),
    ):
        tables.register(table)
