"""The tables of this app that a release freezes."""

from __future__ import annotations

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
            left_out=["internal_note", "archive_text"],
            tightened=_VISIBILITY,
            newer_as={"state": SessionState.DRAFT},  # admissions, meetings and figures point at sessions
            aside={"key": _NOBODYS_NAME, "slug": _NOBODYS_NAME},
        ),
        ProgrammeTable(Segment, path="session__conference", tightened=SEGMENT_VISIBILITY, aside={"key": _NOBODYS_NAME}),
        ProgrammeTable(
            Convenorship,
            path="session__conference",
            left_out=["internal_note", "source"],
            aside={"organisation_id": _NOBODYS_KEY},
        ),
        ProgrammeTable(TextSection, path="session__conference"),
        ProgrammeTable(Recommendation, path="session__conference", aside={"session_id": _NOBODYS_KEY}),
        ProgrammeTable(
            Reference, path="conference", left_out=["internal_note"], aside={"number_printed": _NOBODYS_NAME}
        ),
        ProgrammeTable(Material, path="conference", tightened=SEGMENT_VISIBILITY, later=["published_on"]),
    ):
        tables.register(table)
