"""Registering: one form, one transaction, one answer that is the same however often the form arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto, inserts
from alliance.exceptions import DomainError
from events.models import Conference, Country
from registration.letters import messages
from registration.models import (
    Admission,
    ApprovalMode,
    AskedFor,
    Consent,
    IdempotencyKey,
    IdentityKey,
    Invitation,
    Participant,
    QuestionAnswer,
    Registration,
    RegistrationStatus,
)
from registration.models.participant import Identity, email_index
from registration.models.registration import (
    ENDED,
    REASON_AUDIENCE,
    REASON_CORRECTED,
    REASON_FULL,
    REASON_REFUSED_BEFORE,
)
from registration.questions import answers
from registration.seating import origins
from registration.services import asked, consents, invited, places
from registration.services.places import Outcome, outcomes_from

_SCOPE = "register"


class NothingChosen(DomainError):
    """The form names nothing to attend."""

    code = "nothing_chosen"
    message = _("Choose at least one thing to attend.")


class ChooseOneWay(DomainError):
    """Both ways of attending the same thing were chosen."""

    code = "choose_one_way"
    message = _("Choose either to attend in person or on-line, not both.")


class RegistrationClosed(DomainError):
    """Registration for one of the choices is not open at this instant."""

    code = "registration_closed"
    message = _(
        "Registration for one of your choices is not open. It was taken out; please check the rest and send again."
    )

    def __init__(self, closed: Sequence[Admission]) -> None:
        super().__init__()
        self.closed = closed


class FormSentBefore(DomainError):
    """A form was sent, changed, and sent again under the same one-time token."""

    code = "form_sent_before"
    message = _("This form was sent before with other entries. Check your entries and send it once more.")


@dataclass(frozen=True, slots=True)
class Applicant:
    """What a person tells about themself; shape and length are checked by the form.

    alias: the name to appear under, empty for the real one. time_zone: IANA name or empty. consents: purposes agreed
    to; given: answers to the organisers' questions. Both count for somebody new only, for the form proves nobody's
    identity.
    """

    given_name: str
    family_name: str
    email: str
    language: str
    category: str
    alias: str = ""
    time_zone: str = ""
    country: Country | None = None
    organisation_id: int | None = None
    organisation_text: str = ""
    function: str = ""
    interpretation_language: str = ""
    accessibility_needs: str = ""
    consents: tuple[str, ...] = ()
    given: tuple[answers.Given, ...] = ()

    @property
    def display_name(self) -> str:
        """The only name that others may see."""
        return self.alias or f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class ByHand:
    """An organiser enters somebody who asked for it. override: why the audience rule does not count; empty: it does."""

    by: Actor
    override: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What registering led to, choice by choice, in the order of the admissions.

    For an address that was registered before it says what a new registration would get at this instant, so that the
    answer tells a stranger nothing; the mail tells the owner of the address how things stand.
    """

    outcomes: tuple[Outcome, ...]


def register(
    *,
    conference: Conference,
    admissions: Sequence[Admission],
    applicant: Applicant,
    form_token: str,
    now: datetime,
    invitation: Invitation | None = None,
    by_hand: ByHand | None = None,
) -> Answer:
    """Register a person for one or several admissions of a conference.

    admissions: as shown by the form, loaded with conference, session, meeting and audience organisations.
    form_token: the one-time token of the form; the same token with the same entries gets the same answer and does
    nothing again. now: the instant the request came in; decides whether registration is open.
    invitation: what admits the person to the things it names, once; it is accepted with the registration or not at all.
    by_hand: an organiser enters the person, also before and after registration is open; never above the capacity. For
    somebody known under an alias nothing is added then, only their mail leaves: a new line in a list would give away
    whose address it is.
    What the form asks for with a known address is added once its owner has confirmed it (registration.services.asked).
    Raises NothingChosen, ChooseOneWay, RegistrationClosed, FormSentBefore; with an invitation also
    invited.AlreadyAnswered and NotLive. Rule: docs/design.md section 4.1.
    """
    chosen = sorted(admissions, key=lambda admission: admission.pk)
    named = invited.admissions_of(invitation) if invitation is not None else frozenset()
    if by_hand is not None and by_hand.override:
        named = frozenset(admission.pk for admission in chosen)
    _check(chosen, named, conference=conference, is_by_hand=by_hand is not None, now=now)
    body_hash = _body_hash(chosen, applicant)
    # Everything slow is done before the transaction: keys, sealing, hashing.
    participant, key, wrapped = _new_participant(conference, applicant, now=now)
    answered = answers.sealed(applicant.given, key=key, now=now)
    with transaction.atomic(durable=True):
        request_id = _first_time(form_token, body_hash, now=now)
        if request_id is None:
            return _answer_again(form_token, body_hash)
        if invitation is not None:
            invited.take(invitation_id=invitation.pk, email=applicant.email, now=now)
        participant, is_new = _find_or_make(participant)
        if invitation is not None:
            invited.accept(invitation, participant, now=now)
        registrations: list[Registration] = []
        wish = None
        if is_new or _is_vouched_for(participant, invitation, by_hand):
            registrations = new_registrations(participant, is_new, chosen, applicant, named, now=now)
        elif by_hand is None:
            wish = asked.note(participant, chosen, now=now)
        agreed = consents.from_form(participant, applicant.consents if is_new else (), now=now)
        new = (wrapped, answered) if is_new else None
        write(participant, new, registrations, agreed, by_hand=by_hand, wish=wish, now=now)
        # The answer is that of a new registration, for everybody; what is claimed depends on who is known.
        waiting = [
            {"admission": str(a.public_id), "status": RegistrationStatus.PENDING, "position": None}
            for a in chosen
            if not _admits(a, applicant, named)
        ]
        outcomes = places.claim(
            admission_ids=[a.pk for a in chosen if _admits(a, applicant, named)],
            registration_ids=[registration.pk for registration in registrations if not registration.reason],
            by=by_hand.by if by_hand is not None else actors.SYSTEM,
            now=now,
            idempotency_key_id=request_id,
            pending=waiting,
            category=applicant.category,
        )
    return Answer(outcomes)


def find_answer(*, form_token: str) -> Answer | None:
    """The answer a form token got, for showing it again; None when that form was never sent."""
    row = IdempotencyKey.objects.filter(scope=_SCOPE, key_hash=crypto.token_hash(form_token)).first()
    return Answer(outcomes_from(row.answer.get("outcomes", []))) if row else None


def _check(
    chosen: Sequence[Admission], named: frozenset[int], *, conference: Conference, is_by_hand: bool, now: datetime
) -> None:
    chosen = [admission for admission in chosen if admission.conference_id == conference.pk]
    if not chosen:
        raise NothingChosen
    if len({admission.session_id for admission in chosen}) < len(chosen):
        raise ChooseOneWay
    is_open = {a.pk: a.is_open_to_invited(now) if a.pk in named else a.is_open(now) for a in chosen}
    if is_by_hand:
        is_open = {a.pk: not a.is_cancelled and not a.is_over(now) for a in chosen}
    if closed := [admission for admission in chosen if not is_open[admission.pk]]:
        raise RegistrationClosed(closed)


def _admits(admission: Admission, person: Applicant | Participant, named: frozenset[int]) -> bool:
    """named: the keys of admissions the person is invited to."""
    if admission.pk in named:
        return True
    if isinstance(person, Participant):
        return origins.admits(admission, person)
    return admission.admits(category=person.category, country=person.country, organisation_id=person.organisation_id)


def _body_hash(chosen: Sequence[Admission], applicant: Applicant) -> bytes:
    """A keyed hash of what was sent: it recognises a repeat and says nothing about the person."""
    body = {field.name: getattr(applicant, field.name) for field in fields(applicant)}
    body |= {"country": applicant.country.pk if applicant.country else None}
    body |= {"given": [[one.question.pk, answers.fingerprint(one.value)] for one in applicant.given]}
    text = json.dumps([[a.pk for a in chosen], body], sort_keys=True, default=str)
    return crypto.blind_index("register-body", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _first_time(form_token: str, body_hash: bytes, *, now: datetime) -> int | None:
    """The id of a new idempotency row; None when the token was used. Two at once: the second waits for the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registration_idempotencykey (scope, key_hash, body_hash, answer, created_at) "
            "VALUES (%s, %s, %s, '{}', %s) ON CONFLICT (scope, key_hash) DO NOTHING RETURNING id",
            [_SCOPE, crypto.token_hash(form_token), body_hash, now],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _answer_again(form_token: str, body_hash: bytes) -> Answer:
    row = IdempotencyKey.objects.get(scope=_SCOPE, key_hash=crypto.token_hash(form_token))
    if bytes(row.body_hash) != body_hash:
        raise FormSentBefore
    return Answer(outcomes_from(row.answer["outcomes"]))


def _new_participant(
    conference: Conference, applicant: Applicant, *, now: datetime
) -> tuple[Participant, bytes, bytes]:
    """An unsaved participant with sealed identity, the key of the person, and that key wrapped."""
    key, wrapped = crypto.new_person_key()
    participant = Participant(
        conference=conference,
        display_name=applicant.display_name,
        has_alias=bool(applicant.alias),
        email_index=email_index(applicant.email),
        language=applicant.language,
        time_zone=applicant.time_zone,
        category=applicant.category,
        country=applicant.country,
        organisation_id=applicant.organisation_id,
        organisation_text=applicant.organisation_text,
        function=applicant.function,
        interpretation_language=applicant.interpretation_language,
        accessibility_needs=applicant.accessibility_needs,
        created_at=now,
    )
    participant.seal(Identity(applicant.given_name, applicant.family_name, applicant.email), key)
    participant.link_hash = crypto.token_hash(participant.personal_token)
    return participant, key, wrapped


def _is_vouched_for(participant: Participant, invitation: Invitation | None, by_hand: ByHand | None) -> bool:
    """Whether what a form asks for a known address comes from its owner, as far as we can know.

    An invitation went to that address and its link came back; an organiser was asked by the person, and is believed
    where that tells them nothing.
    """
    return invitation is not None or (by_hand is not None and not participant.has_alias)


def _find_or_make(participant: Participant) -> tuple[Participant, bool]:
    """The participant with that address: the one given, now saved, or the one that was there; then it is locked.

    Somebody who is registered already keeps what they told us first: the form proves nobody's identity.
    """
    for _attempt in range(2):  # somebody with that address may be erased between the two statements
        if inserts.insert(inserts.Rows([participant], skip_known=True)):
            return participant, True
        found = (
            Participant.objects.select_for_update(no_key=True)
            .filter(conference_id=participant.conference_id, email_index=participant.email_index)
            .first()
        )
        if found is not None:
            return found, False
    raise Participant.DoesNotExist


def new_registrations(
    participant: Participant,
    is_new: bool,
    chosen: Sequence[Admission],
    applicant: Applicant | Participant,
    named: frozenset[int],
    *,
    now: datetime,
) -> list[Registration]:
    """Unsaved, pending, for the choices that are not registered yet; those with a reason wait for an organiser.

    A known person is judged by what they told us first as well, and sending the form again undoes no rejection.
    """
    live: set[int] = set()
    refused: set[int] = set()
    if not is_new:
        earlier = Registration.objects.filter(participant=participant).values_list("admission_id", "status", "reason")
        for admission_id, status, reason in earlier:
            if status not in ENDED:
                live.add(admission_id)
            elif status == RegistrationStatus.REJECTED and reason != REASON_FULL:
                refused.add(admission_id)
    made = []
    for admission in chosen:
        if admission.pk not in live:
            registration = Registration(admission=admission, participant=participant, created_at=now)
            if not _admits(admission, applicant, named) or not _admits(admission, participant, named):
                registration.reason = REASON_AUDIENCE
            elif admission.pk in named:
                registration.reason = ""  # the invitation is the organisers' newest word
            elif admission.pk in refused:
                registration.reason = REASON_REFUSED_BEFORE
            elif participant.audience_changed_at is not None and admission.approval == ApprovalMode.AUDIENCE:
                registration.reason = REASON_CORRECTED  # no door opens by claiming another group
            registration.join_hash = crypto.token_hash(registration.join_token)
            made.append(registration)
    return made


def write(
    participant: Participant,
    new: tuple[bytes, list[QuestionAnswer]] | None,
    registrations: Sequence[Registration],
    agreed: tuple[list[Consent], list[AuditEntry]],
    *,
    by_hand: ByHand | None = None,
    wish: AskedFor | None = None,
    now: datetime,
) -> None:
    """Save the registrations with their audit rows and mails. new: wrapped key and answers of somebody not known.

    wish: the first of what the form asks for anew and the owner of the address has to confirm.
    """
    details: dict[str, Any] = {"participant": str(participant.public_id)}
    if by_hand is not None:
        details |= {"by_hand": True, "override": by_hand.override}
    entries: list[AuditEntry] = [
        actors.audit_entry(
            at=now,
            by=by_hand.by if by_hand is not None else actors.PARTICIPANT,
            action="registration.received",
            about_kind="registration",
            about_id=registration.public_id,
            details=details,
        )
        for registration in registrations
    ]
    queued: list[Any] = list(messages.about_form(participant, registrations, now=now))
    if not registrations:
        queued.append(messages.about_known_address(participant, wish=wish, now=now))
    keys = [IdentityKey(participant_id=participant.pk, wrapped=new[0])] if new else []
    answered = new[1] if new else []
    for answer in answered:
        answer.participant = participant
    lines, said = agreed
    rows = [registrations, keys, [*entries, *said], lines, answered]
    outbox.services.queue(queued, along=[inserts.Rows(group) for group in rows])
