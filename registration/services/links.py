"""Links to join that go round: from how many networks one was used, and a new one in place of the old."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.actors import Actor, audit_entry
from alliance import crypto
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.letters import messages
from registration.models import Admission, JoinNetwork, Registration, RegistrationStatus, RetiredLink

MANY = 4  # networks within an hour: a telephone that leaves the house changes once or twice
MOST_KEPT = 50  # of one registration in an hour
KEPT = timedelta(days=7)
_BITS = {4: 24, 6: 48}


class NoLink(DomainError):
    """Only whoever is confirmed has a link."""

    code = "no_link_to_replace"
    message = _("Only confirmed people have a link to join.")


def note_network(registration: Registration, address: str, *, now: datetime) -> None:
    """Remember for a week that the link was used from this network within this hour. The address is not kept."""
    if registration._state.adding:  # an organiser's, in a rehearsal
        return
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    network = ipaddress.ip_network((found, _BITS[found.version]), strict=False)
    hour = now.replace(minute=0, second=0, microsecond=0)
    mark = crypto.blind_index("join-network", f"{registration.public_id}:{hour.isoformat()}:{network}")[:16]
    mine = JoinNetwork.objects.filter(registration=registration, hour=hour)
    if mine.count() < MOST_KEPT:
        row = JoinNetwork(registration=registration, hour=hour, network=mark)
        JoinNetwork.objects.bulk_create([row], ignore_conflicts=True)


def used_from_many() -> Exists:
    """Whether a registration's link was used from many networks within an hour; for annotating registrations."""
    of = JoinNetwork.objects.filter(registration=OuterRef("pk")).order_by()
    return Exists(of.values("hour").annotate(number=Count("pk")).filter(number__gte=MANY).values("hour"))


@transaction.atomic
@published
def replace(*, registration_id: int, by: Actor, now: datetime) -> None:
    """Make the present link worthless and send a new one, when its time has come. Raises NoLink.

    The address on the platform itself is made by the platform: whoever has copied that keeps it.
    """
    registration = Registration.objects.select_for_update(no_key=True).get(pk=registration_id)
    if registration.status not in {RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED}:
        raise NoLink
    RetiredLink.objects.create(registration=registration, join_hash=bytes(registration.join_hash), retired_at=now)
    registration.join_version += 1
    registration.join_hash = crypto.token_hash(registration.join_token)
    registration.save(update_fields=["join_version", "join_hash"])
    JoinNetwork.objects.filter(registration=registration).delete()
    audit_entry(
        at=now,
        by=by,
        action="registration.link_replaced",
        about_kind="registration",
        about_id=registration.public_id,
    ).save()
    registration.admission = Admission.objects.with_meeting().get(pk=registration.admission_id)
    outbox.services.queue(messages.join_link(registration, version=registration.version, now=now))


def forget(*, now: datetime) -> int:
    """Delete what is older than a week; how many."""
    deleted, _by_model = JoinNetwork.objects.filter(hour__lt=now - KEPT).delete()
    return deleted
