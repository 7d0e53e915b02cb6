"""What this app brings to the search of the admin: registrations, delegations, messages. Never by an address."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from alliance.admin import as_uuid, in_all_languages, own_rows, search
from alliance.admin.search import Found
from events.models import Conference
from outbox import topics
from outbox.models import Message
from registration.models import Delegation, DoorCode, Participant, Registration
from registration.models.attendance import as_typed

_MOST_PEOPLE = 50  # the newest of the name
_MOST_CONFERENCES = 20  # whose codes are compared; older ones are deleted with the conference's data


def registrations(request: HttpRequest, text: str) -> Found:
    """By the name that is shown, the code for the door, or the public id of registration or participant. Two queries.

    The people are read first: of a rare name among a million, the order of registrations would find nothing for long.
    """
    rows = search.visible(request, Registration.objects.order_by("-pk"))
    public_id = as_uuid(text)
    if public_id is not None:
        rows = rows.filter(Q(public_id=public_id) | Q(participant__public_id=public_id))
    else:
        named = Participant.objects.filter(display_name__icontains=text).order_by("-pk")
        if not request.user.access.holds_everywhere("registration.view_registration"):  # type: ignore[union-attr]
            places = request.user.access.conferences("registration.view_registration")  # type: ignore[union-attr]
            named = named.filter(conference__in=places)
        found = [*named.values_list("pk", flat=True)[:_MOST_PEOPLE], *_by_code(request, text)]
        rows = rows.filter(participant__in=found)
    rows = rows.select_related("participant", "admission__conference", "admission__session").defer(
        "participant__sealed_identity", "participant__accessibility_needs"
    )
    return search.found(_("Registrations"), rows, text, _registration)


def _by_code(request: HttpRequest, text: str) -> list[int]:
    """Whose code for the door was typed, at the newest conferences. Two queries for what looks like a code."""
    code = as_typed(text, length=DoorCode.LENGTH)
    if not code:
        return []
    places = own_rows(request, Conference.objects.newest_first(), "registration.view_registration")
    indexes = [DoorCode.index(place, code) for place in places.values_list("pk", flat=True)[:_MOST_CONFERENCES]]
    return list(Participant.objects.shown().filter(door_code__code_index__in=indexes).values_list("pk", flat=True))


def _registration(row: Registration) -> tuple[str, str]:
    thing = row.admission.session or row.admission.conference
    return row.participant.display_name, f"{row.get_status_display()} · {thing.title}"


def delegations(request: HttpRequest, text: str) -> Found:
    """By the name of the State or organisation. One query."""
    wanted = search.contains([*in_all_languages("country__name"), *in_all_languages("organisation__name")], text)
    public_id = as_uuid(text)
    wanted |= Q(pk__in=[]) if public_id is None else Q(public_id=public_id)
    rows = search.visible(request, Delegation.objects.order_by("-conference__starts_on", "pk")).filter(wanted)
    rows = rows.select_related("country", "organisation", "conference")
    return search.found(_("Delegations"), rows, text, lambda row: (row.name, str(row.conference.title)))


def messages(request: HttpRequest, text: str) -> Found:
    """By the whole public id of the message or of what it is about. One query, for ids only."""
    public_id = as_uuid(text)
    if public_id is None:
        return Found(_("Messages"), [])
    own = Message.objects.filter(Q(public_id=public_id) | Q(about_id=public_id)).order_by("-created_at", "-pk")
    rows = search.visible(request, own)
    return search.found(_("Messages"), rows, text, lambda row: (topics.title_of(row.topic), row.get_state_display()))


search.register("registrations", 40, registrations)
search.register("delegations", 50, delegations)
search.register("messages", 60, messages)
