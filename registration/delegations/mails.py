"""Mails to people whom a delegation nominates: queued with the change, written from ids when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

import outbox.services
from events.releases.reading import published
from outbox import topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Attachment, Mail, Superseded
from registration.letters import emails
from registration.models import Membership, MemberState, Registration, RegistrationStatus
from registration.models.registration import TAKING

NOMINATED = "delegation.nominated"
ENDED = "delegation.ended"


def nominated(membership: Membership, *, now: datetime, again: bool = False) -> Message:
    """The mail with the link by which somebody says whether they come. again: asked for once more, once an hour."""
    return outbox.services.message(
        topic=NOMINATED,
        about_kind="membership",
        about_id=membership.public_id,
        key=f"nominated:{membership.public_id}:{membership.answer_version}" + (f":{now:%Y%m%d%H}" if again else ""),
        now=now,
        version=membership.answer_version,
        order_key=f"participant:{membership.participant.public_id}",
    )


def ended(membership: Membership, *, now: datetime) -> Message:
    """The mail that somebody is no member any more: replaced or withdrawn.

    To be made before their seats are given back or pass on: it takes the calendar entries of these back.
    """
    seated = Registration.objects.filter(participant=membership.participant_id, status__in=TAKING)
    return outbox.services.message(
        topic=ENDED,
        about_kind="membership",
        about_id=membership.public_id,
        key=f"ended:{membership.public_id}",
        now=now,
        version=membership.answer_version,
        order_key=f"participant:{membership.participant.public_id}",
        details={"held": [str(public_id) for public_id in seated.order_by("pk").values_list("public_id", flat=True)]},
    )


def _membership(message: Message) -> Membership | None:
    """The membership a message is about, unless the person is erased or the link has changed since."""
    return (
        Membership.objects.select_related(
            "participant__conference__venue",
            "participant__identity_key",
            "delegation__country",
            "delegation__organisation",
        )
        .filter(
            public_id=message.about_id,
            participant__identity_key__isnull=False,
            answer_version=message.about_version,
        )
        .first()
    )


def _mail(membership: Membership, letter: str, *, attachments: Sequence[Attachment] = (), **more: str) -> Mail:
    participant = membership.participant
    values = emails.values(participant, []) | {
        "delegation": str(membership.delegation.name),
        "capacity": str(membership.get_capacity_display()),
        "mode": str(membership.get_mode_display()),
        **more,
    }
    return emails.compose(letter, participant, values, attachments=attachments)


def _place(seat: Registration | None) -> str:
    if seat is not None and seat.status in TAKING:
        return _("A place is held for you.")
    if seat is not None and seat.status == RegistrationStatus.WAITLISTED:
        return _(
            "All places are taken at the moment. You stand in line and are told by mail when a place becomes free."
        )
    return _("The organiser decides about a place; you will get a mail either way.")


def _ending(membership: Membership) -> str:
    if membership.state == MemberState.REPLACED:
        return _(
            "the delegation has named somebody else in your place. Your nomination has ended, and your links for it do "
            "not work any more."
        )
    return _("the delegation has withdrawn your nomination. It has ended, and your links for it do not work any more.")


@published
def tell_nominated(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail with the link to the answer, while an answer is wanted."""
    membership = _membership(message)
    if membership is None:
        return Superseded("gone")
    if membership.state != MemberState.NOMINATED:
        return Superseded("answered since")
    seat = Registration.objects.filter(participant=membership.participant).order_by("-pk").first()
    with translation.override(membership.participant.language):
        return _mail(
            membership,
            "delegation_nominated",
            page=Link(settings.SITE_URL + reverse("registration:delegation-answer", args=[membership.answer_token])),
            place=_place(seat),
        )


@published
def tell_ended(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail that somebody is no member any more."""
    membership = _membership(message)
    if membership is None:
        return Superseded("gone")
    if membership.is_active:
        return Superseded("member again")
    with translation.override(membership.participant.language):
        gone = _given_back(membership, message.details.get("held", []))
        entries = [part for one in gone for part in emails.calendar_part([one], method="CANCEL", now=now)]
        return _mail(membership, "delegation_ended", attachments=entries, ending=_ending(membership))


def _given_back(membership: Membership, held: list[str]) -> list[Registration]:
    """The seats that somebody had as a member and has no more, in their name: a seat that passed on has another."""
    person = membership.participant
    found = Registration.objects.with_all().filter(public_id__in=held).order_by("pk")
    gone = [one for one in found if one.participant_id != person.pk or one.status not in TAKING]
    for one in gone:
        one.participant = person
    return gone


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(NOMINATED, tell_nominated, letter="delegation_nominated")
    topics.register(ENDED, tell_ended, letter="delegation_ended")
