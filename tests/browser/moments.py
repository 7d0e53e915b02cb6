"""A small conference with people in moments worth a picture: an offer that clashes, five minutes before the start, a
session that was moved, a link that does not work yet.

Run inside a house, by `manage.py shell`: prints the addresses of their personal pages as JSON.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts import actors
from alliance import crypto
from events.models import Session
from events.releases import publishing
from registration import services
from registration.models import Admission, Participant, WaitingMode
from registration.models.participant import email_index
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    MeetingFactory,
    RoomFactory,
    SideEventFactory,
)

if TYPE_CHECKING:
    from events.models import Conference

SLUG = "safe-return"


def prepare() -> None:
    """Make all of it, and print the addresses by name."""
    now = timezone.now()
    conference: Conference = ConferenceFactory(
        slug=SLUG,
        title={"en": "Conference on Safe Return"},
        series__name={"en": "Conferences on return"},
        venue__name={"en": "Old Town Hall"},
        starts_on=now.date(),
        ends_on=now.date() + timedelta(days=8),
    )
    later = (now + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
    soon = now + timedelta(minutes=5)
    soon -= timedelta(seconds=soon.second, microseconds=soon.microsecond)
    help_line = _event(conference, "Help on the line: hotlines that hold", soon, 60, mode="online")
    courts = _event(conference, "Courts that listen", later, 120, mode="in_person", capacity=2)
    _event(conference, "Housing after the shelter", later + timedelta(hours=1), 120, mode="in_person", capacity=30)
    borders = _event(
        conference, "Returning across borders", later + timedelta(hours=4), 90, mode="in_person", capacity=1
    )
    records = _event(
        conference, "Clearing criminal records", later + timedelta(hours=5), 60,
        mode="in_person", capacity=1, waiting=WaitingMode.OFFER,
    )  # fmt: skip
    tonight = _event(conference, "Survivors’ councils that decide", _this_evening(now, conference), 90, mode="online")
    moved = _event(conference, "Data that does no harm", later + timedelta(days=1), 90, mode="online")
    for mode in ("in_person", "online"):
        AdmissionFactory(session=None, conference=conference, mode=mode)
    publishing.publish(conference, by=None, now=now, check=False)

    _register(conference, "Amara", "Diallo", "amara@mail.example", [courts], now=now)
    _register(conference, "Jonas", "Weber", "jonas@mail.example", [courts, records], now=now)
    _register(conference, "Elif", "Aydın", "elif@mail.example", [borders, records], now=now)
    _register(conference, "Mira", "Novak", "mira@mail.example", [help_line], now=now)
    _register(conference, "Noor", "Haddad", "noor@mail.example", [moved, tonight], now=now)
    moved_session = moved.session
    assert moved_session is not None
    Session.objects.filter(pk=moved_session.pk).update(
        starts_at=later + timedelta(days=1, hours=3), ends_at=later + timedelta(days=1, hours=4, minutes=30)
    )
    publishing.publish(conference, by=None, now=timezone.now(), check=False)
    leaving = records.registrations.get(status="confirmed")
    services.cancel(registration_id=leaving.pk, by=actors.PARTICIPANT, now=now)
    addresses = {
        "offer": _personal("elif@mail.example"),
        "near": _personal("mira@mail.example"),
        "moved": _personal("noor@mail.example"),
        "moved_session": f"/en/{SLUG}/side-events/{moved_session.slug}/",
        "early": f"/join/{tonight.registrations.get().join_token}/",
    }
    print(json.dumps(addresses))


def _this_evening(now: datetime, conference: Conference) -> datetime:
    """Half past seven by the venue's clock; late in the evening, in two hours."""
    evening = now.astimezone(conference.zone).replace(hour=19, minute=30, second=0, microsecond=0)
    return max(evening, (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0))


def _event(
    conference: Conference, title: str, starts_at: datetime, minutes: int, *, mode: str, **more: object
) -> Admission:
    day_number = (starts_at.date() - conference.starts_on).days + 1 if conference.starts_on else 1
    day = conference.days.filter(number=day_number).first() or ConferenceDayFactory(
        conference=conference, number=day_number, date=starts_at.date()
    )
    session = SideEventFactory(
        conference=conference,
        day=day,
        title={"en": title},
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        room=RoomFactory(venue=conference.venue) if mode == "in_person" else None,
    )
    if mode == "online":
        MeetingFactory(session=session)
    admission: Admission = AdmissionFactory(session=session, mode=mode, **more)
    return admission


def _register(
    conference: Conference, given: str, family: str, email: str, admissions: list[Admission], *, now: datetime
) -> None:
    services.register(
        conference=conference,
        admissions=list(
            Admission.objects.with_meeting()
            .select_related("conference", "session")
            .prefetch_related("audience_organisations")
            .filter(pk__in=[one.pk for one in admissions])
        ),
        applicant=services.Applicant(
            given_name=given, family_name=family, email=email, language="en", category="civil_society"
        ),
        form_token=crypto.derive_token("moments", email),
        now=now,
    )


def _personal(email: str) -> str:
    person = Participant.objects.get(conference__slug=SLUG, email_index=email_index(email))
    return f"/r/{person.personal_token}/"
