"""The programme file: a whole conference as YAML that people can read, `format: alliance-programme/1`.

The file is read without writing (yaml_text, entries), every app reads its own parts (sections), and rows are written
only where they differ (changes). The same tables say how a conference is written into a file (exporting). What the
format adds to the original one stands in docs/programme-file.md.
"""

from events.models import (
    Conference,
    ConferenceDay,
    Convenorship,
    Country,
    Material,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Segment,
    Series,
    Session,
    TextSection,
    Topic,
    Venue,
)
from events.programme_file import bodies, conference, parts, programme, programme_export, references, sections
from events.programme_file.importing import ChangedMeanwhile, Outcome, load
from events.programme_file.problems import InvalidFile, Problem
from events.programme_file.whole import export

__all__ = [
    "ChangedMeanwhile",
    "InvalidFile",
    "Outcome",
    "Problem",
    "export",
    "export_workbook",
    "load",
    "register_sections",
    "workbook_template",
]


def export_workbook(conference: Conference) -> bytes:
    """The conference as a workbook (.xlsx)."""
    from events.programme_file import workbook  # a large library that few processes need

    return workbook.filled(conference)


def workbook_template() -> bytes:
    """A workbook to fill in."""
    from events.programme_file import workbook

    return workbook.template()


def register_sections() -> None:
    """Make the parts of this app known. Called in AppConfig.ready()."""
    sections.register("countries", 10, bodies.load_countries, bodies.export_countries, shared=(Country,))
    sections.register(
        "organisations", 20, bodies.load_organisations, bodies.export_organisations, shared=(Organisation,)
    )
    sections.register("topics", 28, parts.load_topics, parts.export_topics, shared=(Topic,))
    sections.register(
        "conference",
        30,
        conference.load_conference,
        conference.export_conference,
        models=(ConferenceDay,),
        shared=(Conference, Series, Venue, Room),
    )
    sections.register(
        "sessions",
        40,
        programme.load_sessions,
        programme_export.export_sessions,
        models=(Session, Segment, Convenorship, TextSection, Recommendation, Material),
    )
    sections.register("references", 50, references.load_references, references.export_references, models=(Reference,))
    sections.register("resources", 60, conference.load_resources, conference.export_resources, models=(Material,))
