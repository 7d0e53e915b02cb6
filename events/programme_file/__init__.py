"""The programme file: a whole conference as YAML that people can read, `format: alliance-programme/1`.

The file is read without writing (yaml_text, entries), every app reads its own parts (sections), and rows are written
only where they differ (changes). What the format adds to the original one: any text may be a mapping of languages to
texts ({en: Opening, ru: Открытие}); sessions may name a room; a few settings (state, visibility, slug) may be given,
and are left alone where they are not.
"""

from events.programme_file import bodies, conference, programme, sections
from events.programme_file.importing import Outcome, load
from events.programme_file.problems import InvalidFile, Problem

__all__ = ["InvalidFile", "Outcome", "Problem", "load", "register_sections"]


def register_sections() -> None:
    """Make the parts of this app known. Called in AppConfig.ready()."""
    sections.register("countries", 10, bodies.load_countries)
    sections.register("organisations", 20, bodies.load_organisations)
    sections.register("conference", 30, conference.load_conference)
    sections.register("sessions", 40, programme.load_sessions)
    sections.register("references", 50, programme.load_references)
    sections.register("resources", 60, conference.load_resources)
