"""What happens: places and bodies, conferences, sessions, and the texts and papers around them."""

from events.models.bodies import Country, CountryStatus, Organisation, OrganisationKind, Room, Venue
from events.models.conference import (
    Conference,
    ConferenceDay,
    ConferenceKind,
    ConferenceState,
    DatePrecision,
    Format,
    Series,
    Visibility,
)
from events.models.content import ContentVersion
from events.models.job import Job, JobState
from events.models.mail_text import MailSettings, MailText
from events.models.papers import (
    Material,
    MaterialKind,
    Recommendation,
    Reference,
    SectionKind,
    TakeawayKind,
    TextSection,
    Topic,
)
from events.models.releases import Release, ReleasedRow
from events.models.removal import Removal as Removal
from events.models.removal import RemovalStep as RemovalStep
from events.models.saved_filter import SavedFilter
from events.models.session import (
    ConvenorRelation,
    Convenorship,
    RegistrationMode,
    Segment,
    SegmentKind,
    SegmentVisibility,
    Session,
    SessionKind,
    SessionState,
    SideEvent,
)

__all__ = [
    "Conference",
    "ConferenceDay",
    "ConferenceKind",
    "ConferenceState",
    "ContentVersion",
    "ConvenorRelation",
    "Convenorship",
    "Country",
    "CountryStatus",
    "DatePrecision",
    "Format",
    "Job",
    "JobState",
    "MailSettings",
    "MailText",
    "Material",
    "MaterialKind",
    "Organisation",
    "OrganisationKind",
    "Recommendation",
    "Reference",
    "RegistrationMode",
    "Release",
    "ReleasedRow",
    "Room",
    "SavedFilter",
    "SectionKind",
    "Segment",
    "SegmentKind",
    "SegmentVisibility",
    "Series",
    "Session",
    "SessionKind",
    "SessionState",
    "SideEvent",
    "TakeawayKind",
    "TextSection",
    "Topic",
    "Venue",
    "Visibility",
]
