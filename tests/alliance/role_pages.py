"""Every page of the admin and who may open it, and a conference with a row of every kind, for the tests of roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.urls import URLPattern, URLResolver, reverse

from accounts.models import RoleKind
from accounts.permissions import MODELS, Level
from events.admin import pages
from events.models import Conference, SideEvent, Topic
from tests import factories
from tests.alliance import role_table
from video.models import HostAccount, PlatformPrivacy

SECRET = "Zzyzx"  # stands in every name at the other conference
AREA = {label: area.value for area, labels in MODELS.items() for label in labels}
REGISTERED = [model for model in admin.site._registry if model is not Group]

# What needs a role for all conferences, in words of its own and not of the code: label or area, rights.
ONLY_HOUSE_WIDE = {
    "events.conference": {"add", "delete"},
    "directory": {"delete"},
    "accounts.user": {"add", "change", "delete"},
    "accounts.auditentry": {"view", "add", "change", "delete"},
    "video.hostaccount": {"view", "add", "change", "delete"},
}
# What no page does for anybody.
NEVER = {
    "registration.registration": {"add", "delete"},
    "registration.participant": {"add", "delete"},
    "outbox.message": {"add", "delete"},
    "accounts.auditentry": {"add", "change", "delete"},
}
LEVEL_OF = {"view": Level.SEE, "change": Level.CHANGE, "add": Level.ADD, "delete": Level.DELETE}

# Pages of a conference: area and level that open them. A new page without an entry here fails the test.
CONFERENCE_PAGES = {
    "start": ("conference", Level.SEE),
    "long-work": ("conference", Level.SEE),  # everybody sees their own
    "programme": ("programme", Level.SEE),
    "checks": ("programme", Level.SEE),
    "speakers": ("speakers", Level.CHANGE),
    "speaker": ("speakers", Level.CHANGE),
    "removals": ("removals", Level.CHANGE),
    "removal-confirm": ("removals", Level.CHANGE),
    "removal": ("removals", Level.CHANGE),
    "releases": ("conference", Level.SEE),
    "release-restore": ("conference", Level.CHANGE),
    "preview": ("conference", Level.SEE),
    "mails": ("messages", Level.SEE),
    "mail-text": ("messages", Level.SEE),
    "thanks": ("messages", Level.CHANGE),
    "programme-file": ("conference", Level.SEE),
    "programme-file-download": ("conference", Level.SEE),
    "documents": ("conference", Level.SEE),
    "document": ("conference", Level.SEE),
    "next_edition": ("conference", None),  # makes a conference
    "door": ("door", Level.SEE),
    "badges": ("registrations", Level.SEE),
    "release-correct": ("conference", Level.CHANGE),
    "figures": ("admissions", Level.SEE),
    "figure-file": ("admissions", Level.SEE),
    "figure-release": ("admissions", Level.CHANGE),
    "consents": ("registrations", Level.SEE),
    "data-life": ("admissions", Level.SEE),
    "data-life-save": ("admissions", Level.CHANGE),
    "data-life-proofs": ("admissions", Level.SEE),
    "processing": ("admissions", Level.SEE),
    "consents-ask": ("admissions", Level.CHANGE),
    "consents-done": ("registrations", Level.CHANGE),
    "consents-person": ("participants", Level.CHANGE),
    "consents-proof": ("participants", Level.CHANGE),
    "protection": ("protection", Level.CHANGE),
    "protection-person": ("protection", Level.CHANGE),
    "protection-speaker": ("protection", Level.CHANGE),
    "delegations": ("admissions", Level.CHANGE),
    "delegation-letter": ("admissions", Level.CHANGE),
    "participants": ("admissions", Level.CHANGE),
    "api-tokens": ("admissions", Level.CHANGE),
    "webhooks": ("admissions", Level.CHANGE),
    "joining": ("registrations", Level.SEE),
    "joining-of": ("registrations", Level.SEE),
    "rehearsal": ("admissions", Level.CHANGE),
    "waiting-lists": ("registrations", Level.SEE),
    "waiting-list": ("registrations", Level.SEE),
    "reserves": ("admissions", Level.CHANGE),
    "invitations": ("admissions", Level.CHANGE),
    "external-lists": ("admissions", Level.CHANGE),
    "invitations-many": ("admissions", Level.CHANGE),
    "messages": ("messages", Level.CHANGE),
    "message": ("messages", Level.CHANGE),
    "registration-trail": ("registrations", Level.CHANGE),
    "participant-trail": ("participants", Level.CHANGE),
    "check-ins": ("registrations", Level.CHANGE),
    "door-code": ("participants", Level.CHANGE),
    "by-hand": ("participants", Level.CHANGE),
    "duplicates": ("duplicates", Level.CHANGE),
    "duplicate": ("duplicates", Level.CHANGE),
    "questions": ("admissions", Level.SEE),
    "answers": ("participants", Level.SEE),
    "answers-file": ("participants", Level.SEE),
    "answer-file": ("participants", Level.SEE),
    "confidential-answers": ("confidential", Level.SEE),
    "confidential-answers-file": ("confidential", Level.SEE),
    "confidential-answer-file": ("confidential", Level.SEE),
}

# Pages of the admin that belong to no model's list: what somebody with a role, or without any, is answered.
FRAME = {
    "admin:undo",  # takes back the user's own last act, with the right to do it
    "admin:events_conference_previewed",  # work is seen by whoever has ordered it, with the right to do so
    "admin:events_conference_job",
    "admin:events_conference_job_cancel",
    "admin:events_conference_job_file",
    "admin:index", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done",
    "admin:autocomplete", "admin:jsi18n", "admin:view_on_site", "admin:app_list", "admin:language",
    "admin:auth_user_password_change", "admin:accounts_user_second_factor",
    "admin:events_conference_import", "admin:events_conference_template",
    "admin:registration_admission_capacity", "admin:search", "admin:registration_registration_saved_filters",
}  # fmt: skip


def names(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, str]]:
    """Name with namespace, and route, of every address of the house."""
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from ((name, f"{one.pattern}{route}") for name, route in names(one.url_patterns, inner))
        else:
            yield f"{space}{one.name or ''}", str(one.pattern)


def place(word: str) -> tuple[Conference, dict[type[models.Model], models.Model]]:
    """A conference with one row of every kind; the word stands in every name."""
    text = {"en": word}
    conference = factories.ConferenceFactory(title={"en": f"{word} conference"})
    session = factories.SessionFactory(conference=conference, title=text)
    side_event = factories.SideEventFactory(conference=conference, title=text)
    admission = factories.AdmissionFactory(conference=conference, session=side_event)
    participant = factories.ParticipantFactory(conference=conference, display_name=word)
    registration = factories.RegistrationFactory(admission=admission, participant=participant)
    user = factories.UserFactory(name=word)
    rows: list[models.Model] = [
        conference,
        session,
        SideEvent.objects.get(pk=side_event.pk),
        factories.MaterialFactory(conference=conference, session=session, title=text),
        factories.RecommendationFactory(session=session, text=text),
        factories.ReferenceFactory(conference=conference, citation=word),
        factories.ContributionFactory(session=session, name_printed=word, person=factories.PersonFactory()),
        admission,
        registration,
        participant,
        factories.DelegationFactory(conference=conference, note=word),
        factories.FigureFactory(conference=conference, group=word),
        factories.QuestionFactory(conference=conference, label=text),
        factories.MeetingFactory(session=session),
        PlatformPrivacy.objects.create(conference=conference),
        factories.MessageFactory(about_kind="registration", about_id=registration.public_id, topic=word),
        user,
        factories.RoleFactory(user=user, conference=conference, kind=RoleKind.VIEWER),
    ]
    return conference, {type(row): row for row in rows}


SHARED: dict[str, Callable[[], Any]] = {
    "events.organisation": factories.OrganisationFactory,
    "events.country": factories.CountryFactory,
    "events.venue": factories.VenueFactory,
    "events.room": factories.RoomFactory,
    "events.series": factories.SeriesFactory,
    "events.topic": lambda: Topic.objects.create(key="topic", name={"en": "Topic"}),
    "speakers.person": factories.PersonFactory,
    "accounts.auditentry": factories.AuditEntryFactory,
    "video.hostaccount": lambda: HostAccount.objects.create(service="zoom", label="Office"),
}


def url(model: type[models.Model], page: str, *arguments: Any) -> str:
    """The address of an admin page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


class Expected:
    """What the docs promise to a role."""

    def __init__(self, kind: str, *, is_house_wide: bool) -> None:
        self.levels = role_table.levels()[kind]
        self.is_house_wide = is_house_wide

    def may(self, label: str, right: str) -> bool:
        """Whether a page for it answers."""
        area = AREA[label]
        if right in NEVER.get(label, ()):
            return False
        if not self.is_house_wide and right in {*ONLY_HOUSE_WIDE.get(label, ()), *ONLY_HOUSE_WIDE.get(area, ())}:
            return False
        return self.levels[area] >= LEVEL_OF[right]


def snapshot(rows: dict[type[models.Model], models.Model]) -> list[Any]:
    """Everything that is stored of the rows."""
    return [model._default_manager.filter(pk=row.pk).values().first() for model, row in rows.items()]


def address(page: pages.ConferencePage, conference: Conference) -> str:
    """The address of a page; what its route captures may lead nowhere, it must only be let through."""
    captured: dict[str, dict[str, Any]] = {
        "release-restore": {"number": 1},
        "preview": {"which": "draft", "path": "en/"},
        "mail-text": {"letter": "nothing", "language": "en"},
        "programme-file-download": {"kind": "nothing"},
        "document": {"which": "draft", "language": "en", "kind": "nothing", "ending": "pdf"},
        "badges": {"sheet": "nothing", "part": 1},
        "release-correct": {"number": 1},
        "figure-file": {"kind": "nothing"},
        "delegation-letter": {"letter": UUID(int=1)},
        "answers-file": {"kind": "nothing"},
        "answer-file": {"answer": UUID(int=1)},
        "confidential-answers-file": {"kind": "nothing"},
        "confidential-answer-file": {"answer": UUID(int=1)},
        "participants": {"kind": "nothing"},
        "message": {"message": UUID(int=1)},
        "registration-trail": {"registration": UUID(int=1)},
        "participant-trail": {"participant": UUID(int=1)},
        "consents-person": {"participant": UUID(int=1)},
        "consents-proof": {"participant": UUID(int=1)},
        "protection-person": {"somebody": UUID(int=1)},
        "protection-speaker": {"somebody": UUID(int=1)},
        "door-code": {"participant": UUID(int=1)},
        "joining-of": {"admission": UUID(int=1)},
        "waiting-list": {"admission": UUID(int=1)},
        "speaker": {"contribution": UUID(int=1)},
        "removal-confirm": {"kind": "person", "public_id": UUID(int=1)},
        "removal": {"removal": UUID(int=1)},
        "reserves": {"admission": UUID(int=1)},
        "duplicate": {"stays": UUID(int=1), "goes": UUID(int=2)},
    }
    return pages.url(page.name, conference, **captured.get(page.name, {}))
