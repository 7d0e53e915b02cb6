"""Who may do what: one table of roles, areas and rights. docs/roles.md prints it; a test keeps both equal.

A role at a conference counts for the rows of that conference; a role without a conference counts for all of them. Rows
that belong to no conference (persons, organisations, rooms) are one directory for the whole house.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from accounts.role_kinds import RoleKind


class Level(IntEnum):
    """How much somebody may do with the rows of an area; each level holds the ones before it."""

    NOTHING = 0
    SEE = 1
    CHANGE = 2
    ADD = 3
    DELETE = 4

    @property
    def rights(self) -> tuple[str, ...]:
        """Django's words for it."""
        return ("view", "change", "add", "delete")[:self]


class Area(StrEnum):
    """Models that are looked after together."""

    CONFERENCE = "conference"
    PROGRAMME = "programme"
    SPEAKERS = "speakers"
    REMOVALS = "removals"
    DIRECTORY = "directory"
    MEETINGS = "meetings"
    HOSTS = "hosts"
    ADMISSIONS = "admissions"
    REGISTRATIONS = "registrations"
    QUEUE = "queue"
    DUPLICATES = "duplicates"
    PARTICIPANTS = "participants"
    CONFIDENTIAL = "confidential"
    PROTECTION = "protection"
    DOOR = "door"
    MESSAGES = "messages"
    ROLES = "roles"
    USERS = "users"
    AUDIT = "audit"


# The models of each area, as app_label.model_name.
MODELS: dict[Area, tuple[str, ...]] = {
    Area.CONFERENCE: ("events.conference",),
    Area.PROGRAMME: (
        "events.conferenceday",
        "events.session",
        "events.sideevent",
        "events.segment",
        "events.textsection",
        "events.convenorship",
        "events.material",
        "events.recommendation",
        "events.reference",
        "speakers.contribution",
    ),
    # Where speakers are written to, and what they have answered.
    Area.SPEAKERS: ("speakers.speakerinvitation",),
    # Taking a person or a session down. Changing is taking down, deleting is lifting.
    Area.REMOVALS: ("events.removal",),
    Area.DIRECTORY: (
        "events.organisation",
        "events.country",
        "events.venue",
        "events.room",
        "events.series",
        "events.topic",
        "speakers.person",
        "speakers.affiliation",
    ),
    Area.MEETINGS: ("video.meeting", "video.platformprivacy"),
    Area.HOSTS: ("video.hostaccount",),
    Area.ADMISSIONS: (
        "registration.admission",
        "registration.places",
        "registration.delegation",
        "registration.focalpoint",
        "registration.invitation",
        "registration.figure",
        "registration.consentsetting",
        "registration.retentionperiod",
        "registration.deletionproof",
        "registration.question",
        "registration.questionoption",
    ),
    Area.REGISTRATIONS: ("registration.registration", "registration.takedown"),
    Area.QUEUE: (),
    Area.DUPLICATES: (),
    Area.PARTICIPANTS: ("registration.participant",),
    # What people need in order to take part, and answers that only this group reads.
    Area.CONFIDENTIAL: ("registration.questionanswer",),
    # What stands behind an alias. The role sets it; looking behind it is for named readers (accounts.safes).
    Area.PROTECTION: ("speakers.protection", "registration.protectedparticipant"),
    Area.DOOR: ("registration.checkin",),
    Area.MESSAGES: ("outbox.message", "events.mailtext", "registration.announcement"),
    Area.ROLES: ("accounts.role",),
    Area.USERS: ("accounts.user",),
    Area.AUDIT: ("accounts.auditentry",),
}

# What is done to rows beyond seeing and changing them; whoever may change something in the area may do it.
ACTS: dict[Area, tuple[str, ...]] = {
    Area.QUEUE: ("registration.move_registration",),
    Area.DUPLICATES: ("registration.merge_participant",),
}

# From a row to its conference, as lookups to the conference's key; several where a row has one of them. No lookup: the
# row belongs to no conference. A model that is not here belongs to the house, and no role of a conference reaches it.
PATHS: dict[str, tuple[str, ...]] = {
    "events.conference": ("pk",),
    "events.conferenceday": ("conference",),
    "events.session": ("conference",),
    "events.sideevent": ("conference",),
    "events.segment": ("session__conference",),
    "events.textsection": ("session__conference",),
    "events.convenorship": ("session__conference",),
    "events.material": ("conference",),
    "events.recommendation": ("session__conference",),
    "events.reference": ("conference",),
    "events.mailtext": ("conference",),
    "events.removal": ("conference",),
    "speakers.contribution": ("session__conference",),
    "speakers.speakerinvitation": ("contribution__session__conference",),
    "speakers.protection": ("person__contributions__session__conference",),
    **dict.fromkeys(MODELS[Area.DIRECTORY], ()),
    "video.meeting": ("session__conference", "conference"),
    "video.platformprivacy": ("conference",),
    "registration.admission": ("conference",),
    "registration.places": ("admission__conference",),
    "registration.delegation": ("conference",),
    "registration.focalpoint": ("delegation__conference",),
    "registration.figure": ("conference",),
    "registration.consentsetting": ("conference",),
    "registration.retentionperiod": ("conference",),
    "registration.deletionproof": ("conference",),
    "registration.takedown": ("participant__conference",),
    "registration.invitation": ("conference",),
    "registration.registration": ("admission__conference",),
    "registration.participant": ("conference",),
    "registration.protectedparticipant": ("participant__conference",),
    "registration.question": ("conference",),
    "registration.questionoption": ("question__conference",),
    "registration.questionanswer": ("participant__conference",),
    "registration.checkin": ("conference",),
    "registration.announcement": ("conference",),
    "registration.membership": ("delegation__conference",),
    "registration.farewell": ("conference",),
    "registration.rehearsal": ("conference",),
    "registration.webhooksubscription": ("conference",),
    "registration.webhookdelivery": ("subscription__conference",),
    "accounts.role": ("conference", "session__conference"),
    "accounts.apitoken": ("grant__delegation__conference", "grant__session__conference"),
}

# Messages and lines of the audit trail name what they are about by kind and public id: the model of each kind. Messages
# about rows of a conference are for its organisers; the trail as a whole is for those who look after the house.
ABOUT: dict[str, str] = {
    "invitation": "registration.invitation",
    "conference": "events.conference",
    "admission": "registration.admission",
    "participant": "registration.participant",
    "registration": "registration.registration",
    "membership": "registration.membership",
    "farewell": "registration.farewell",
    "rehearsal": "registration.rehearsal",
    "question": "registration.question",
    "webhook": "registration.webhooksubscription",
    "webhook_delivery": "registration.webhookdelivery",
    "api_token": "accounts.apitoken",
    "meeting": "video.meeting",
    "announcement": "registration.announcement",
    "contribution": "speakers.contribution",
    "session": "events.session",
    "person": "speakers.person",
}
# Kinds that belong to no conference, or whose conference is nobody's business: users, what stands behind an alias, what
# platforms told, long work, which its owner alone sees, and what had to be taken down because a consent had ended.
ABOUT_THE_HOUSE: dict[str, str] = {
    "user": "accounts.user",
    "safe": "accounts.safe",
    "platform_event": "video.platformevent",
    "job": "events.job",
    "take_down": "registration.takedown",
}

_S, _C, _A, _D = Level.SEE, Level.CHANGE, Level.ADD, Level.DELETE

TABLE: dict[RoleKind, dict[Area, Level]] = {
    RoleKind.ADMINISTRATOR: dict.fromkeys(Area, _D),
    RoleKind.ORGANISER: {
        Area.CONFERENCE: _A,
        Area.PROGRAMME: _D,
        Area.SPEAKERS: _C,
        Area.REMOVALS: _D,
        Area.DIRECTORY: _A,
        Area.MEETINGS: _D,
        Area.ADMISSIONS: _D,
        Area.REGISTRATIONS: _C,
        Area.QUEUE: _C,
        Area.DUPLICATES: _C,
        Area.PARTICIPANTS: _C,
        Area.DOOR: _D,
        Area.MESSAGES: _C,
        Area.ROLES: _D,
        Area.USERS: _S,
        Area.AUDIT: _S,
    },
    RoleKind.EDITOR: {Area.CONFERENCE: _S, Area.PROGRAMME: _D, Area.REMOVALS: _C, Area.DIRECTORY: _A},
    RoleKind.DESK: {
        Area.CONFERENCE: _S,
        Area.PROGRAMME: _S,
        Area.REMOVALS: _C,
        Area.ADMISSIONS: _S,
        Area.REGISTRATIONS: _C,
        Area.PARTICIPANTS: _C,
        Area.DOOR: _A,
    },
    RoleKind.CONFIDENTIAL: {Area.CONFERENCE: _S, Area.CONFIDENTIAL: _S},
    RoleKind.PROTECTION: {Area.CONFERENCE: _S, Area.PROTECTION: _C},
    RoleKind.COMMUNICATIONS: {
        Area.CONFERENCE: _S,
        Area.PROGRAMME: _S,
        Area.ADMISSIONS: _S,
        Area.REGISTRATIONS: _S,
        Area.MESSAGES: _C,
    },
    RoleKind.STEWARD: {Area.CONFERENCE: _S, Area.PROGRAMME: _S, Area.DOOR: _A},
    RoleKind.MODERATOR: {Area.CONFERENCE: _S, Area.PROGRAMME: _S},
    RoleKind.INTERPRETER: {Area.CONFERENCE: _S, Area.PROGRAMME: _S},
    RoleKind.CONVENOR: {},  # their own page shows their side event: registration.convenors
    RoleKind.VIEWER: {Area.CONFERENCE: _S, Area.PROGRAMME: _S, Area.ADMISSIONS: _S},
}


def _permissions(areas: dict[Area, Level]) -> frozenset[str]:
    return frozenset(
        f"{app}.{right}_{model}"
        for area, level in areas.items()
        for app, model in (label.split(".") for label in MODELS[area])
        for right in level.rights
    ) | {act for area, level in areas.items() if level >= Level.CHANGE for act in ACTS.get(area, ())}


READ_CONFIDENTIAL = "registration.view_questionanswer"

PERMISSIONS: dict[str, frozenset[str]] = {kind.value: _permissions(areas) for kind, areas in TABLE.items()}

# What needs a role for all conferences, because it reaches beyond any one of them.
ONLY_HOUSE_WIDE: frozenset[str] = frozenset(
    {
        "events.add_conference",
        "events.delete_conference",
        *(f"{app}.delete_{model}" for app, model in (label.split(".") for label in MODELS[Area.DIRECTORY])),
        *(f"accounts.{right}_user" for right in ("change", "add", "delete")),
        *(f"video.{right}_hostaccount" for right in Level.DELETE.rights),
        *(f"accounts.{right}_auditentry" for right in ("view", "change", "add", "delete")),
    }
)


def of_role(kind: str, *, is_house_wide: bool) -> frozenset[str]:
    """The permissions a role gives, where it counts."""
    found = PERMISSIONS[kind]
    return found if is_house_wide else found - ONLY_HOUSE_WIDE
