"""The sheets of a workbook: their columns in plain words, and where each value stands in the programme file.

Headings are matched whatever their case. A column that somebody has deleted is no longer covered: what the database has
there stays. A language has a column of its own: “Title (ru)”.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from django.db.models import TextChoices

from alliance import languages
from events.models import (
    ConferenceKind,
    ConferenceState,
    ConvenorRelation,
    DatePrecision,
    Format,
    MaterialKind,
    OrganisationKind,
    RegistrationMode,
    SegmentKind,
    SegmentVisibility,
    SessionKind,
    SessionState,
    TakeawayKind,
    Visibility,
)
from events.programme_file.parts import TEXTS


class Kind(Enum):
    """What a cell holds."""

    TEXT = auto()
    NUMBER = auto()
    YES_NO = auto()
    DATE = auto()
    TIME = auto()  # "11:30", or an instant with its offset
    LIST = auto()  # one a line
    TRANSLATED = auto()  # a column for each language


@dataclass(frozen=True, slots=True)
class Column:
    """A column. path: the keys that lead to the value in the entry.

    words: the drop-down list. is_setting: an empty cell leaves what is; elsewhere it means that there is none.
    """

    heading: str
    path: tuple[str, ...]
    kind: Kind = Kind.TEXT
    words: tuple[str, ...] = ()
    is_setting: bool = False
    width: int = 16

    @property
    def key(self) -> str:
        """The path as one word."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with a row for each thing. is_upright: one thing, with a row for each of its facts.

    about: what it holds, for the first sheet. needed: columns without which a row cannot be read.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    needed: tuple[str, ...] = ()
    is_upright: bool = False

    def headings(self) -> list[tuple[str, Column, str]]:
        """Every heading with its column and its language (empty where there is none)."""
        return [
            (f"{column.heading} ({code})" if code else column.heading, column, code)
            for column in self.columns
            for code in (languages.codes() if column.kind is Kind.TRANSLATED else [""])
        ]


def words(choices: type[TextChoices] | Iterable[str]) -> tuple[str, ...]:
    """The words of a drop-down list."""
    return tuple(choices.values) if isinstance(choices, type) else tuple(choices)


def column(
    heading: str,
    path: str,
    kind: Kind = Kind.TEXT,
    choices: type[TextChoices] | Iterable[str] = (),
    *,
    is_setting: bool = False,
    width: int = 0,
) -> Column:
    """A column; its width follows from its kind unless it is given."""
    usual = {Kind.TRANSLATED: 36, Kind.LIST: 26, Kind.NUMBER: 9, Kind.YES_NO: 9, Kind.DATE: 12, Kind.TIME: 9}
    return Column(heading, tuple(path.split(".")), kind, words(choices), is_setting, width or usual.get(kind, 18))


SESSION = column("Session", "session", width=20)
SHOWN = column("Shown", "visibility", choices=SegmentVisibility, is_setting=True)

# Texts of a session that have keys of their own, beside those that parts.TEXTS names.
OTHER_TEXTS = ("summary", "call_to_action", "audience", "join_link_rule")
OTHER = "other"

CONFERENCE = Sheet(
    "Conference",
    "The conference itself: what it is called, when and where it is, whom to ask.",
    (
        column("Key", "key"),
        column("Series", "series", Kind.TRANSLATED),
        column("Edition", "edition", Kind.NUMBER),
        column("Title", "title", Kind.TRANSLATED),
        column("Kind", "kind", choices=ConferenceKind, is_setting=True),
        column("State", "state", choices=ConferenceState, is_setting=True),
        column("Visible to", "visibility", choices=Visibility, is_setting=True),
        column("Level", "level", Kind.TRANSLATED),
        column("Theme", "theme", Kind.TRANSLATED),
        column("Subtitle of the theme", "theme_subtitle", Kind.TRANSLATED),
        column("First day", "start_date", Kind.DATE),
        column("Last day", "end_date", Kind.DATE),
        column("Date known to the", "date_precision", choices=DatePrecision, is_setting=True),
        column("Time zone", "timezone"),
        column("Format", "format", choices=Format),
        column("Venue", "venue.name", Kind.TRANSLATED),
        column("City", "venue.city", Kind.TRANSLATED),
        column("Country of the venue", "venue.country"),
        column("Address of the venue", "venue.address"),
        column("Footnote of the venue", "venue.footnote", Kind.TRANSLATED),
        column("Platform", "platform"),
        column("Livestreamed", "livestream", Kind.YES_NO),
        column("Livestream address", "livestream_url_printed"),
        column("Hashtag", "hashtag"),
        column("Social media account", "twitter_account"),
        column("Event page", "event_page_url"),
        column("Organiser", "organiser"),
        column("Chairmanship", "chairmanship"),
        column("Working languages", "working_languages", Kind.LIST),
        column("Interpretation", "interpretation_languages", Kind.LIST),
        column("Goal", "goal", Kind.TRANSLATED),
        column("Description", "description", Kind.TRANSLATED),
        column("Note below results", "results_disclaimer", Kind.TRANSLATED),
        column("Neutral title", "neutral_title", Kind.TRANSLATED),
        column("Contact address", "contact.address"),
        column("Contact phone", "contact.phone"),
        column("Contact fax", "contact.fax"),
        column("Contact e-mail", "contact.email"),
        column("Contact web site", "contact.web"),
        column("Internal note", "note"),
    ),
    needed=("key",),
    is_upright=True,
)
ROOMS = Sheet(
    "Rooms",
    "The rooms at the venue of the conference.",
    (column("Name", "name", Kind.TRANSLATED), column("Seats", "capacity", Kind.NUMBER)),
    needed=("name",),
)
DAYS = Sheet(
    "Days",
    "The days, numbered.",
    (
        column("Number", "number", Kind.NUMBER),
        column("Date", "date", Kind.DATE),
        column("Label as printed", "label_printed", width=36),
    ),
    needed=("number", "date"),
)
SESSIONS = Sheet(
    "Sessions",
    "Sessions and side events. The key is a short name that never changes; other sheets name the session by it.",
    (
        column("Key", "key"),
        column("Kind", "kind", choices=SessionKind),
        column("Number", "number", Kind.NUMBER),
        column("Title", "title", Kind.TRANSLATED),
        column("Date", "date", Kind.DATE),
        column("Position in the day", "position_in_day", Kind.NUMBER),
        column("Start", "start", Kind.TIME),
        column("End", "end", Kind.TIME),
        column("Room", "room"),
        column("Format", "mode", choices=Format),
        column("State", "state", choices=SessionState, is_setting=True),
        column("Visible to", "visibility", choices=Visibility, is_setting=True),
        column("Address", "slug", is_setting=True),
        column("In the agenda", "in_conference_agenda", Kind.YES_NO),
        column("Working languages", "working_languages", Kind.LIST),
        column("Interpretation", "interpretation_languages", Kind.LIST),
        column("Platform", "platform"),
        column("Registration", "registration.mode", choices=RegistrationMode),
        column("Registration system", "registration.system"),
        column("Registration address", "registration.url"),
        column("Address is broken", "registration.url_broken_as_printed", Kind.YES_NO),
        column("Internal note", "note"),
    ),
    needed=("key", "kind", "title"),
)
TEXT_SHEET = Sheet(
    "Texts",
    "What is written about a session. One row for each text; “audience” has one group a line.",
    (
        SESSION,
        column("Text", "kind", choices=(*OTHER_TEXTS, *TEXTS, OTHER)),
        column("Heading", "heading", Kind.TRANSLATED),
        column("Words", "text", Kind.TRANSLATED, width=60),
        column("Place", "position", Kind.NUMBER),
    ),
    needed=("session", "kind", "text"),
)
SEGMENTS = Sheet(
    "Segments",
    "The printed blocks of a session, in order. Shown: before (and after) the session, only after it, or never.",
    (
        SESSION,
        column("Order", "order", Kind.NUMBER),
        column("Key", "key"),
        column("Kind", "kind", choices=SegmentKind, is_setting=True),
        column("Heading", "title_printed", Kind.TRANSLATED),
        column("Start", "start", Kind.TIME),
        column("End", "end", Kind.TIME),
        SHOWN,
    ),
    needed=("session", "order", "key"),
)
# Roles, statuses and the like of other apps are words of the file, too: this package does not know their models.
CONTRIBUTIONS = Sheet(
    "Contributions",
    "Who speaks: a person, or a seat without a name (status unnamed), in a session in a role, worded for the occasion.",
    (
        SESSION,
        column("Order", "order", Kind.NUMBER),
        column("Segment", "segment"),
        column("Role", "role"),
        column("Heading as printed", "role_printed", Kind.TRANSLATED),
        column("Person", "person", width=24),
        column("Seat without a name", "unnamed_label", Kind.TRANSLATED),
        column("Name as printed", "name_printed"),
        column("Honorific", "honorific"),
        column("Post-nominals", "post_nominals"),
        column("Title", "role_title", Kind.TRANSLATED),
        column("Organisation", "organisation"),
        column("Further organisations", "other_organisations", Kind.LIST),
        column("Country", "country"),
        column("Meaning of the country", "country_basis", choices=("state_represented", "organisation_seat", "stated")),
        column("Talk", "topic", Kind.TRANSLATED),
        column("Status", "status", choices=("invited", "tbc", "confirmed", "declined", "replaced", "unnamed")),
        column("To be confirmed", "tbc", Kind.YES_NO),
        column("In the programme", "in_programme", Kind.YES_NO),
        SHOWN,
        column("In the report", "in_report", Kind.YES_NO),
        column("Outcome", "outcome", choices=("took_part", "not_mentioned", "did_not_take_part")),
        column("Place in the agenda", "agenda_order", Kind.NUMBER),
        column("Title in the report", "role_title_in_report", Kind.TRANSLATED),
        column("By", "delivery", choices=("live", "video")),
        column("Status in the end", "final_status", choices=("invited", "tbc", "confirmed", "declined", "replaced")),
        column("Sources", "sources", Kind.LIST),
        column("Internal note", "note"),
    ),
    needed=("session", "order", "role", "status"),
)
CONVENORS = Sheet(
    "Convenors",
    "The bodies that convene a session or stand beside it, in printed order.",
    (
        SESSION,
        column("Order", "order", Kind.NUMBER),
        column("Organisation", "organisation", width=24),
        column("Relation", "relation", choices=ConvenorRelation),
        column("With its unit", "with_unit"),
        column("Source", "source"),
        column("Internal note", "note"),
    ),
    needed=("session", "organisation"),
)
RESULTS = Sheet(
    "Results",
    "What came out of a session: 6 is an item, 6.1 stands below it, 6.1.2 below that.",
    (
        SESSION,
        column("Kind", "kind", choices=TakeawayKind),
        column("Number", "number"),
        column("Words", "text", Kind.TRANSLATED, width=60),
        column("Addressee", "addressee", Kind.TRANSLATED),
        column("Topics", "topics", Kind.LIST),
    ),
    needed=("session", "number", "text"),
)
MATERIALS = Sheet(
    "Materials",
    "Papers, videos and links; without a session they belong to the conference as a whole.",
    (
        SESSION,
        column("Kind", "kind", choices=MaterialKind),
        column("Title", "title", Kind.TRANSLATED),
        column("Address", "url", width=40),
        column("Language", "language", choices=languages.codes()),
        column("Publisher", "publisher"),
        column("Place", "place"),
        column("Year", "year", Kind.NUMBER),
        SHOWN,
        column("Published on", "published_on", Kind.DATE),
        column("Position", "position", Kind.NUMBER),
    ),
    needed=("kind", "url"),
)
ADMISSIONS = Sheet(
    "Admissions",
    "Who may register for what; without a session it is the conference. An admission is never removed by a workbook.",
    (
        SESSION,
        column("Attendance", "mode", choices=("in_person", "online")),
        column("Places", "capacity", Kind.NUMBER),
        column("Opens at", "opens_at", Kind.TIME, width=27),
        column("Closes at", "closes_at", Kind.TIME, width=27),
        column("Approval", "approval", choices=("automatic", "audience", "manual", "invitation"), is_setting=True),
        column("Waiting list", "waiting", choices=("direct", "offer", "none"), is_setting=True),
        column("Hours to answer", "claim_hours", Kind.NUMBER, is_setting=True),
        column("Categories", "categories", Kind.LIST),
        column("Delegations of", "country_statuses", Kind.LIST),
        column("Organisations", "organisations", Kind.LIST),
        column("Note", "note", Kind.TRANSLATED),
        column("Closed", "closed", Kind.YES_NO, is_setting=True),
    ),
    needed=("mode",),
)
REFERENCES = Sheet(
    "References",
    "Footnotes, with the number that is printed.",
    (
        column("Number", "number"),
        column("Document", "document"),
        column("Session", "event", width=20),
        column("Source", "cites", width=60),
        column("Address", "url", width=40),
        column("Second address", "second_url"),
        column("Accessed", "accessed", Kind.DATE),
        column("Internal note", "note"),
    ),
    needed=("number", "document"),
)
PERSONS = Sheet(
    "Persons",
    "Everybody who speaks. A pseudonym stands alone: no family name, no note, nothing that leads to somebody.",
    (
        column("Id", "id", width=24),
        column("Display name", "display_name", width=26),
        column("Given name", "given_name"),
        column("Family name", "family_name"),
        column("Sort name", "sort_name", is_setting=True),
        column("Post-nominals", "post_nominals"),
        column("Biography", "biography", Kind.TRANSLATED),
        column("Pseudonym", "pseudonym", Kind.YES_NO),
        column("Internal note", "note"),
    ),
    needed=("id",),
)
ORGANISATIONS = Sheet(
    "Organisations",
    "The bodies that the other sheets name by their id.",
    (
        column("Id", "id", width=24),
        column("Name", "name", Kind.TRANSLATED),
        column("Abbreviation", "abbreviation"),
        column("Kind", "kind", choices=OrganisationKind),
        column("Part of", "part_of"),
        column("Country", "country"),
        column("Name made by us", "name_derived", Kind.YES_NO, is_setting=True),
        column("Partner of the Alliance", "alliance_partner", Kind.YES_NO, is_setting=True),
        column("Web site", "web", is_setting=True),
        column("Internal note", "note"),
    ),
    needed=("id", "name"),
)

ALL = (
    CONFERENCE, ROOMS, DAYS, SESSIONS, TEXT_SHEET, SEGMENTS, CONTRIBUTIONS, CONVENORS, RESULTS, MATERIALS, ADMISSIONS,
    REFERENCES, PERSONS, ORGANISATIONS,
)  # fmt: skip
# Sheets of ours that hold no data.
README = "Read me"
LISTS = "Lists"
# Stands in a cell for a text that no cell can hold, and means: leave it as it is.
TOO_LONG = "(too long for a cell: left as it is)"
MOST_LETTERS = 32_767
