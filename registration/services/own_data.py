"""All that is kept of one person, for that person: to read, to take away, and to erase. Nothing of anybody else.

Labels are in the active language; keys are for programs and stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts import actors, trail_words
from accounts.models import AuditEntry
from alliance import crypto, dates
from events.models import Country
from events.releases.reading import published
from outbox import topics
from outbox.models import Message, MessageState
from registration import consent_wordings
from registration.models import (
    Certificate,
    CheckIn,
    Consent,
    MailBounce,
    Membership,
    OptOut,
    Participant,
    ProtectedParticipant,
    QuestionAnswer,
    Registration,
    SeatPair,
)
from registration.models.participant import Identity
from registration.questions import answers
from registration.selectors import places_in_line
from registration.services import addresses, asked, erasure, invitations
from registration.services.delegations import leaving

log = structlog.get_logger("registration")

FORMAT = 1  # rises when keys of the file change their meaning


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is kept. value: a text, a number, a yes or no, or an instant; None where nothing is kept.

    words: what people read instead, where the value is a code.
    """

    key: str
    label: str
    value: Any
    words: str = ""

    @property
    def text(self) -> str:
        """The value as people read it, instants on the active clock."""
        if self.words:
            return self.words
        if isinstance(self.value, bool):
            return _("Yes") if self.value else _("No")
        if isinstance(self.value, datetime):
            local = timezone.localtime(self.value)
            return f"{dates.day(local.date(), with_weekday=False)}, {local:%H:%M}"
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Section:
    """Facts of one kind, record by record."""

    key: str
    title: str
    records: list[list[Fact]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How much would go."""

    registrations: int
    answers: int
    consents: int
    open_consents: int


def collect(participant: Participant, *, now: datetime) -> list[Section]:
    """Everything, in the active language. Needs conference, country and identity_key loaded.

    Raises crypto.Unreadable for somebody who has been erased.
    """
    identity = participant.open_identity()
    mine = list(Registration.objects.with_all().filter(participant=participant).order_by("pk"))
    members = list(
        Membership.objects.filter(participant=participant).select_related(
            "participant__identity_key", "delegation__country", "delegation__organisation"
        )
    )
    ids = _ids(participant, mine, members)
    # A place that passed on to a member was somebody else's before: what was done and written then is not theirs.
    passed_on = AuditEntry.objects.filter(about_id__in=ids, action=leaving.PASSED_ON).order_by("at", "pk")
    theirs_since = dict(passed_on.values_list("about_id", "at"))
    sections = [
        Section("person", _("You"), [_person(participant, identity, now=now)]),
        Section("protection", _("What is hidden"), _protection(participant)),
        Section("registrations", _("Your registrations"), _registrations(mine)),
        Section("companions", _("Who comes with you"), _companions(participant)),
        Section("asked", _("Asked for with your address"), _asked(participant, now=now)),
        Section("answers", _("Your answers"), _answers(participant, now=now)),
        Section("consents", _("What you agree to"), _consents(participant)),
        Section("check_ins", _("Check-ins"), _check_ins(participant)),
        Section("certificates", _("Certificate of attendance"), _certificates(participant)),
        Section("delegations", _("Delegation"), [_membership(one) for one in members]),
        Section("invitations", _("Invitations"), _invitations(participant)),
        Section("mails", _("Mails to you"), _mails(ids, theirs_since)),
        Section("reminders", _("Reminders by mail"), _mail_state(participant)),
        Section("history", _("What was done"), _history(ids, theirs_since)),
    ]
    return [section for section in sections if section.records]


def as_data(sections: Iterable[Section], *, conference: str, now: datetime) -> dict[str, Any]:
    """The same for programs: keys instead of labels, instants in ISO 8601."""
    data: dict[str, Any] = {"format": FORMAT, "made_at": now.isoformat(), "conference": conference}
    for section in sections:
        data[section.key] = [{fact.key: _plain(fact.value) for fact in record} for record in section.records]
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Promise) else value


def _ids(participant: Participant, mine: Iterable[Registration], members: Iterable[Membership]) -> list[Any]:
    return [participant.public_id, *(one.public_id for one in mine), *(one.public_id for one in members)]


def _person(participant: Participant, identity: Identity, *, now: datetime) -> list[Fact]:
    change = addresses.pending(participant, now=now)
    if change is not None:
        change.participant = participant
    new_address = addresses.address_of(change) if change is not None else None
    facts = [
        Fact("given_name", _("Given name"), identity.given_name),
        Fact("family_name", _("Family name"), identity.family_name),
        Fact("name_shown", _("Name you appear under"), participant.display_name),
        Fact("appears_under_alias", _("It is another name"), participant.has_alias),
        Fact("email", _("E-mail address"), identity.email),
        Fact("new_email", _("New address, not confirmed yet"), new_address),
        Fact("category", _("You come from"), participant.get_category_display()),
        Fact("country", _("Country"), str(participant.country.name) if participant.country else None),
        Fact("organisation", _("Organisation"), participant.organisation_text),
        Fact("function", _("Function"), participant.function),
        Fact("language", _("Language"), participant.get_language_display()),
        Fact("time_zone", _("Time zone"), participant.time_zone),
        Fact("interpretation", _("Interpretation into"), participant.interpretation_language),
        Fact("needs", _("What you need to take part"), participant.accessibility_needs),
        Fact("registered_at", _("Registered at"), participant.created_at),
    ]
    return [fact for fact in facts if fact.value not in (None, "")]


def _protection(participant: Participant) -> list[list[Fact]]:
    """What is withheld of the person, and what is kept of it all the same."""
    found = ProtectedParticipant.objects.filter(participant=participant).first()
    if found is None:
        return []
    found.participant = participant
    kept = found.unseal()
    country = Country.objects.filter(pk=kept.country or 0).first()
    facts = [
        Fact("hides_country", _("Country is hidden"), found.hides_country),
        Fact("country", _("Country"), str(country.name) if country is not None else None),
        Fact("hides_organisation", _("Organisation is hidden"), found.hides_organisation),
        Fact("organisation", _("Organisation"), kept.organisation_text),
        Fact("function", _("Function"), kept.function),
        Fact("no_photo", _("No photographs"), found.no_photo),
        Fact("no_recording", _("No recording"), found.no_recording),
        Fact("since", _("Since"), found.set_at),
    ]
    return [[fact for fact in facts if fact.value not in (None, "")]]


def _registrations(mine: list[Registration]) -> list[list[Fact]]:
    ranks = places_in_line(mine)
    found = []
    for one in mine:
        admission = one.admission
        about = admission.session.title if admission.session is not None else admission.conference.title
        facts = [
            Fact("id", _("Number"), str(one.public_id)),
            Fact("about", _("For"), str(about)),
            Fact("mode", _("Attendance"), admission.get_mode_display()),
            Fact("status", _("Status"), one.get_status_display()),
            Fact("place_in_line", _("Place in line"), ranks.get(one.pk)),
            Fact("reason", _("Reason"), str(one.reason_shown)),
            Fact("registered_at", _("Registered at"), one.created_at),
            Fact("decided_at", _("Decided at"), one.decided_at),
            Fact("cancelled_at", _("Cancelled at"), one.cancelled_at),
            Fact("joined_at", _("First joined at"), one.joined_at),
        ]
        found.append([fact for fact in facts if fact.value not in (None, "")])
    return found


def _thing(registration: Registration) -> Any:
    return registration.admission.session or registration.admission.conference


def _companions(participant: Participant) -> list[list[Fact]]:
    """Whom the person named to come along, as they named them."""
    pairs = (
        SeatPair.objects.filter(named_by=participant)
        .select_related("companion__participant", "companion__admission__session", "companion__admission__conference")
        .order_by("pk")
    )
    return [
        [
            Fact("about", _("For"), str(_thing(pair.companion).title)),
            Fact("name", _("Name"), pair.companion.participant.display_name),
            Fact("status", _("Status"), pair.companion.get_status_display()),
            Fact("asked_at", _("Asked at"), pair.made_at),
        ]
        for pair in pairs
    ]


def _asked(participant: Participant, *, now: datetime) -> list[list[Fact]]:
    """What a form asked for, and nobody has confirmed yet."""
    return [
        [
            Fact("about", _("For"), str(wish.title)),
            Fact("mode", _("Attendance"), wish.admission.get_mode_display()),
            Fact("asked_at", _("Asked at"), wish.asked_at),
            Fact("kept_until", _("Kept until"), wish.expires_at),
        ]
        for wish in asked.pending(participant, now=now)
    ]


def _answers(participant: Participant, *, now: datetime) -> list[list[Fact]]:
    return [
        [
            Fact("question", _("Question"), str(one.question.label)),
            Fact("answer", _("Answer"), one.text),
            Fact("answered_at", _("Answered at"), one.answered_at),
            Fact("kept_until", _("Kept until"), one.kept_until),
        ]
        for one in answers.own(participant, now=now)
        if one.value is not None
    ]


def _consents(participant: Participant) -> list[list[Fact]]:
    found = []
    for line in Consent.objects.filter(participant=participant).order_by("pk"):
        facts = [
            Fact("purpose", _("For"), line.get_purpose_display()),
            Fact("given", _("Agreed"), line.is_given),
            Fact("text", _("In these words"), str(consent_wordings.find(line.purpose, line.wording).sentence)),
            Fact("version", _("Version of the words"), line.wording),
            Fact("language", _("Language"), line.get_language_display()),
            Fact("source", _("Where"), line.get_source_display()),
            Fact("at", _("When"), line.at),
            Fact("expires_at", _("Ends at"), line.expires_at),
        ]
        found.append([fact for fact in facts if fact.value is not None])
    return found


def _check_ins(participant: Participant) -> list[list[Fact]]:
    found = []
    for one in CheckIn.objects.filter(participant=participant).select_related("session").order_by("at", "pk"):
        facts = [
            Fact("where", _("Where"), str(one.session.title) if one.session is not None else _("Entrance")),
            Fact("at", _("When"), one.at),
            Fact("undone_at", _("Undone at"), one.undone_at),
        ]
        found.append([fact for fact in facts if fact.value is not None])
    return found


def _certificates(participant: Participant) -> list[list[Fact]]:
    issued = Certificate.objects.filter(participant=participant)
    return [[Fact("issued_at", _("Given out at"), one.issued_at)] for one in issued]


def _membership(one: Membership) -> list[Fact]:
    facts = [
        Fact("delegation", _("Delegation"), one.delegation.name),
        Fact("name_as_nominated", _("Name the delegation wrote"), one.as_written.name),
        Fact("function_as_nominated", _("Function the delegation wrote"), one.as_written.function),
        Fact("capacity", pgettext("in a delegation", "Capacity"), one.get_capacity_display()),
        Fact("mode", _("Attendance"), one.get_mode_display()),
        Fact("state", _("Status"), one.get_state_display()),
        Fact("nominated_at", _("Nominated at"), one.nominated_at),
        Fact("answered_at", _("Answered at"), one.answered_at),
        Fact("ended_at", _("Ended at"), one.ended_at),
        Fact("verification", _("Credentials"), one.get_verification_display()),
        Fact("verification_reason", _("Reason"), one.verification_reason),
        Fact("listed_at", _("Agreed to be listed at"), one.listed_at),
    ]
    return [fact for fact in facts if fact.value not in (None, "")]


def _invitations(participant: Participant) -> list[list[Fact]]:
    """Those to the person's address, and those accepted on the way to this registration."""
    found = []
    rows = invitations.of_person(participant).prefetch_related("admissions__session")
    for one in rows.order_by("pk"):
        about = [
            str(admission.session.title if admission.session is not None else participant.conference.title)
            for admission in one.admissions.all()
        ]
        facts = [
            Fact("about", _("For"), "; ".join(about)),
            Fact("state", _("Status"), one.get_state_display()),
            Fact("sent_at", _("Sent at"), one.sent_at),
            Fact("expires_at", _("Answer until"), one.expires_at),
        ]
        found.append(facts)
    return found


def _mail_state(participant: Participant) -> list[list[Fact]]:
    """Whether a mail came back from the present address, and whether the person wants no reminders."""
    bounces = MailBounce.objects.current().filter(participant=participant)
    opt_outs = OptOut.objects.filter(about_id=participant.public_id)
    return [
        *([Fact("came_back_at", _("came back at"), one.at), Fact("answer", _("answer"), one.code)] for one in bounces),
        *([Fact("opted_out_at", _("opt-out"), one.created_at)] for one in opt_outs),
    ]


def _mails(ids: list[Any], theirs_since: Mapping[UUID, datetime]) -> list[list[Fact]]:
    """Subjects and texts are not kept, so neither is here: what about, and when."""
    found = []
    for one in Message.objects.filter(about_id__in=ids).order_by("created_at", "pk"):
        if one.created_at < theirs_since.get(one.about_id, one.created_at):
            continue
        facts = [
            Fact("about", _("About"), one.topic, topics.title_of(one.topic)),
            Fact("queued_at", _("Queued at"), one.created_at),
            Fact("sent_at", _("Sent at"), one.finished_at if one.state == MessageState.SENT else None),
            Fact("status", _("Status"), one.get_state_display()),
        ]
        found.append([fact for fact in facts if fact.value is not None])
    return found


def _history(ids: list[Any], theirs_since: Mapping[UUID, datetime]) -> list[list[Fact]]:
    """The audit trail about the person. It says which kind of actor, not which colleague."""
    rows = AuditEntry.objects.filter(about_id__in=ids).order_by("at", "pk")
    return [
        [
            Fact("at", _("When"), one.at),
            Fact("what", _("What"), one.action, trail_words.action(one.action)),
            Fact("by", _("By"), one.get_actor_kind_display()),
        ]
        for one in rows
        if one.at >= theirs_since.get(one.about_id, one.at)
    ]


def figures(participant: Participant, *, now: datetime) -> Figures:
    """What the page before erasing tells. Four queries."""
    lines = list(Consent.objects.filter(participant=participant).newest())
    return Figures(
        registrations=Registration.objects.cancellable().filter(participant=participant).count(),
        answers=QuestionAnswer.objects.filter(participant=participant).count(),
        consents=Consent.objects.filter(participant=participant).count(),
        open_consents=sum(line.stands(now) for line in lines),
    )


@published
def erase(participant: Participant, *, now: datetime, receipt: str = "") -> None:
    """Erase the person at their own wish: places go to the next in line, and one last mail says that it is done.

    receipt: the code by which the person can prove it (registration.services.proofs).
    """
    erasure.erase(participant_id=participant.pk, by=actors.PARTICIPANT, now=now, says_farewell=True, receipt=receipt)
    # Outside the database, for whoever restores an older backup must erase again (docs/operations.md). A random number.
    log.info("participant_erased", participant=str(participant.public_id))


def is_readable(participant: Participant) -> bool:
    """Whether there is anything to hand out: not of somebody who has been erased. Needs identity_key loaded."""
    try:
        participant.open_identity()
    except crypto.Unreadable:
        return False
    return True
