"""The words about waiting, offered places and what became of them: the same on pages and in mails."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alliance import dates, zones
from alliance.time import zone_label
from registration.models import Admission, Registration, WaitingMode
from registration.models.registration import REASON_DECLINED, REASON_EXPIRED, REASON_SWAPPED


def in_line(admission: Admission, rank: int) -> str:
    """Where somebody stands in line, and what happens when a place becomes free."""
    if admission.waiting != WaitingMode.OFFER:
        return _(
            "All places are taken. You are number %(position)d in line. When a place becomes free, the first in "
            "line gets it at once and is told by mail."
        ) % {"position": rank}
    text = ngettext(
        "You are number %(position)d in line. When a place becomes free, it is offered to the first in line by mail, "
        "who has %(hours)d hour to accept it.",
        "You are number %(position)d in line. When a place becomes free, it is offered to the first in line by mail, "
        "who has %(hours)d hours to accept it.",
        admission.claim_hours,
    )
    return text % {"position": rank, "hours": admission.claim_hours}


def until(registration: Registration) -> str:
    """Until when a place is offered, by the venue's clock and by the person's own where that is another one.

    Needs the admission's conference with its venue, and the participant loaded.
    """
    instant = registration.offer_expires_at
    if instant is None:
        return ""
    conference = registration.admission.conference
    city = str(conference.venue.city) if conference.venue else zones.city(conference.time_zone)
    text = _clock(instant, conference.time_zone, city)
    own = registration.participant.time_zone
    if not own or instant.astimezone(ZoneInfo(own)).utcoffset() == instant.astimezone(conference.zone).utcoffset():
        return text
    return f"{text} ({_clock(instant, own, zones.city(own))})"


def _clock(instant: datetime, zone: str, city: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{dates.day(local.date())}, {local:%H:%M} {zone_label(instant, zone=zone, city=city)}"


def offered(registration: Registration, *, is_clash: bool) -> str:
    """What to do about an offered place, and by when. is_clash: another place at the same time must be given up."""
    instant = until(registration)
    if is_clash and instant:
        return _(
            "You hold another place at the same time. Choose on your personal page which one you keep, until "
            "%(until)s. Without an answer you keep what you have."
        ) % {"until": instant}
    if is_clash:
        return _("You hold another place at the same time. Choose on your personal page which one you keep.")
    if instant:
        return _(
            "A place is kept for you until %(until)s. Accept or decline it on your personal page; without an answer "
            "it goes to the next in line."
        ) % {"until": instant}
    return _("A place is kept for you. Accept or decline it on your personal page.")


def ended(registration: Registration) -> str:
    """What the system tells about an ended registration for reasons of its own; else what an organiser wrote."""
    if registration.reason == REASON_EXPIRED:
        return _(
            "The time to accept the place has passed, and it went to the next in line. If you still wish to come, "
            "register again."
        )
    if registration.reason == REASON_DECLINED:
        return _("You have declined the place that was offered.")
    if registration.reason == REASON_SWAPPED:
        return _("You have given this place up for another one at the same time.")
    return registration.reason_told


def online_meanwhile() -> str:
    """That waiting for the room does not keep anybody from attending on-line."""
    return _(
        "You can attend on-line meanwhile and keep your place in line for the room: there is a button for it on your "
        "personal page."
    )
