"""Who has no link: for each on-line admission, how far everybody confirmed has got on the way in, and what failed.

Read by one statement for the figures and one for a page of rows, whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

import outbox.services
from accounts.actors import Actor, audit_entry
from events.releases.reading import published
from outbox.models import OPEN_STATES, Message, MessageState
from registration.joining import platform_handlers
from registration.letters import messages
from registration.models import Admission, BounceKind, MailBounce, Registration
from registration.services import links, upkeep
from video.models import Meeting, Registrant, RegistrantState

_PLATFORM = "registration.platform."
_MOST_AGAIN = 1000  # soft bounces sent again at once


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of the confirmed have got how far. linked is None where the platform enters nobody.

    unmailed: to whom no mail with the link has left yet.
    """

    confirmed: int
    linked: int | None
    mailed: int
    bounced: int
    clicked: int
    joined: int
    many: int
    failed: int
    unmailed: int


@dataclass(frozen=True, slots=True)
class Row:
    """One person. name: the display name. troubles: what is wrong, in words for organisers."""

    registration: Registration
    name: str
    link: str
    mail: str
    clicked_at: datetime | None
    joined_at: datetime | None
    is_flagged: bool
    troubles: list[str]


def people(admission: Admission, meeting: Meeting | None) -> QuerySet[Any]:
    """Everybody confirmed, with what is known of their way in."""
    sent = Message.objects.filter(topic=messages.JOIN_LINK, about_id=OuterRef("public_id")).order_by("-pk")
    there = Registrant.objects.filter(
        meeting=meeting, person_id=OuterRef("public_id"), provider_meeting=meeting.provider_id if meeting else ""
    )
    bounces = MailBounce.objects.current().filter(participant=OuterRef("participant_id"))
    found = Registration.objects.filter(
        admission=admission, status__in=platform_handlers.HAS_PLACE, participant__identity_key__isnull=False
    ).annotate(
        mail=Coalesce(Subquery(sent.values("state")[:1]), Value("")),
        mail_error=Coalesce(Subquery(sent.values("last_error")[:1]), Value("")),
        link=Coalesce(Subquery(there.values("state")[:1]), Value("")),
        link_error=Coalesce(Subquery(there.values("last_error")[:1]), Value("")),
        seen_at=Subquery(there.values("joined_at")[:1]),
        bounce=Coalesce(Subquery(bounces.values("kind")[:1]), Value("")),
        is_flagged=links.used_from_many(),
    )
    return found.annotate(is_failed=_failed(), is_unmailed=~Q(mail=MessageState.SENT))


def _failed() -> Q:
    """What an organiser should look at. A second try of a platform that may still work is no failure."""
    return Q(mail=MessageState.DEAD) | ~Q(bounce="") | Q(link=RegistrantState.REFUSED) | ~Q(link_error="")


def figures(admission: Admission, meeting: Meeting | None) -> Figures:
    """The figures of an admission. One query."""
    found = people(admission, meeting).aggregate(
        confirmed=Count("pk"),
        linked=Count("pk", filter=Q(link=RegistrantState.ADDED)),
        mailed=Count("pk", filter=Q(mail=MessageState.SENT)),
        bounced=Count("pk", filter=~Q(bounce="")),
        clicked=Count("pk", filter=Q(joined_at__isnull=False)),
        joined=Count("pk", filter=Q(seen_at__isnull=False)),
        many=Count("pk", filter=Q(is_flagged=True)),
        failed=Count("pk", filter=_failed()),
        unmailed=Count("pk", filter=~Q(mail=MessageState.SENT)),
    )
    if meeting is None or not meeting.has_registrants:
        found["linked"] = None
    return Figures(**found)


def rows(found: QuerySet[Any], meeting: Meeting | None) -> Iterator[Row]:
    """Rows of a slice of people(). One query."""
    needs_link = meeting is not None and meeting.has_registrants
    for one in found.select_related("participant"):
        yield _row(one, needs_link=needs_link)


def _row(one: Registration, *, needs_link: bool) -> Row:
    facts = vars(one)
    troubles = []
    if facts["link"] == RegistrantState.REFUSED or facts["link_error"]:
        troubles.append(facts["link_error"] or str(RegistrantState.REFUSED.label))
    if facts["mail"] == MessageState.DEAD:
        troubles.append(facts["mail_error"] or str(MessageState.DEAD.label))
    if facts["bounce"]:
        troubles.append(str(BounceKind(facts["bounce"]).label))
    if facts["is_flagged"]:
        troubles.append(_("The link was used from many networks within an hour."))
    link = str(RegistrantState(facts["link"]).label) if facts["link"] else _("Not made yet")
    mail = str(MessageState(facts["mail"]).label) if facts["mail"] else _("Not queued yet")
    return Row(
        one,
        one.participant.display_name,
        link if needs_link else "–",
        mail,
        one.joined_at,
        facts["seen_at"],
        facts["is_flagged"],
        troubles,
    )


@published
def try_again(admission: Admission, meeting: Meeting | None, *, by: Actor, now: datetime) -> int:
    """Queue anew what failed of an admission: mails with the link, and entries on the platform. How many.

    What is on its way is left alone, so that pressing twice does nothing twice. A mail that came back because the
    address does not work is not sent again: the address has to be corrected.
    """
    mine = people(admission, meeting)
    with transaction.atomic(durable=True):
        count = _revive(mine, now=now) + _enter_refused(mine, meeting, now=now)
    count += _send_bounced_again(mine, by=by, now=now)
    loaded = Admission.objects.with_meeting().get(pk=admission.pk)
    window = loaded.join_window
    if window is not None and window[0] - messages.JOIN_LINK_BEFORE <= now < window[1]:
        count += upkeep.queue_missing_of(loaded, now=now)
    if meeting is not None and meeting.has_registrants and meeting.provider_id:
        count += platform_handlers.queue_missing_of(meeting, loaded, now=now)
    if count:
        audit_entry(
            at=now,
            by=by,
            action="admission.links_tried_again",
            about_kind="admission",
            about_id=admission.public_id,
            details={"count": count},
        ).save()
    return count


def _revive(mine: QuerySet[Any], *, now: datetime) -> int:
    """Given-up messages about how a registration stands now; only the newest mail of each."""
    dead = Message.objects.filter(
        Q(topic=messages.JOIN_LINK) | Q(topic__startswith=_PLATFORM),
        state=MessageState.DEAD,
        about_id__in=mine.order_by().values("public_id"),
    )
    newer = Message.objects.filter(topic=OuterRef("topic"), about_id=OuterRef("about_id"), pk__gt=OuterRef("pk"))
    return outbox.services.revive(Message.objects.filter(pk__in=dead.exclude(Exists(newer)).values("pk")), now=now)


def _enter_refused(mine: QuerySet[Any], meeting: Meeting | None, *, now: datetime) -> int:
    """Whom the platform refused, or somebody took off there: asked for again, as for people who come back."""
    if meeting is None or not meeting.has_registrants:
        return 0
    refused = list(mine.filter(link=RegistrantState.REFUSED).select_related("participant", "admission"))
    Registrant.objects.filter(
        meeting=meeting, person_id__in=[one.public_id for one in refused], state=RegistrantState.REFUSED
    ).update(state=RegistrantState.REMOVED, last_error="", busy_until=None)
    loaded = Admission.objects.with_meeting().filter(pk__in={one.admission_id for one in refused}).first()
    busy = set(
        Message.objects.filter(
            topic__startswith=_PLATFORM, about_id__in=[one.public_id for one in refused], state__in=OPEN_STATES
        ).values_list("about_id", flat=True)
    )
    waiting = [one for one in refused if one.public_id not in busy]
    for one in waiting:
        one.admission = loaded
    again = f":{now:%Y%m%dT%H%M%S%f}"
    outbox.services.queue(
        message
        for one in waiting
        for message in messages.on_platform(one, version=one.version, now=now, meeting=meeting, again=again)
    )
    return len(waiting)


def _send_bounced_again(mine: QuerySet[Any], *, by: Actor, now: datetime) -> int:
    """Mails with the link that came back although the address works, once for each time they came back."""
    soft = MailBounce.objects.current().filter(kind=BounceKind.SOFT)
    ids = mine.filter(participant__in=soft.values("participant")).values("public_id")
    newest = (
        Message.objects.filter(topic=messages.JOIN_LINK, about_id__in=ids)
        .order_by("about_id", "-pk")
        .distinct("about_id")
    )
    found = list(newest[:_MOST_AGAIN])
    of_seat = "participant__registrations__public_id"
    bounced_at = dict(soft.filter(**{f"{of_seat}__in": [one.about_id for one in found]}).values_list(of_seat, "at"))
    count = 0
    for message in found:
        came_back = bounced_at.get(message.about_id)
        if came_back is None or message.state != MessageState.SENT or message.created_at > came_back:
            continue
        try:
            outbox.services.send_again(message.pk, by_user=by.user.pk if by.user is not None else None, now=now)
        except outbox.services.CannotSendAgain:  # somebody else has pressed the button at this moment
            continue
        count += 1
    return count


def order(found: QuerySet[Any]) -> QuerySet[Any]:
    """By name, whoever has trouble first."""
    return found.order_by(F("is_failed").desc(), "participant__display_name", "pk")
