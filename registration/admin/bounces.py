"""Mails in the admin: whose come back, as a filter and a line of registrations; and which no list of messages shows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin import clock_time
from outbox.admin import MessageAdmin
from registration.letters import bounces
from registration.letters import messages as own_messages
from registration.models import BounceKind, MailBounce, Participant, Registration


def _caused_by_an_address() -> Q:
    """Mails to people under an alias that anybody can cause who types their address into a form.

    Who knows an address, types it, and sees which row gets a mail at that moment would know whose alias it is.
    """
    hidden = Participant.objects.filter(has_alias=True)
    return Q(
        topic__in=[own_messages.PERSONAL_LINK, own_messages.KNOWN_ADDRESS],
        about_kind="participant",
        about_id__in=hidden.values("public_id"),
    )


MessageAdmin.unseen.append(_caused_by_an_address)


class BounceFilter(admin.SimpleListFilter):
    """By whether mails to the person come back."""

    title = gettext_lazy("mails")
    parameter_name = "bounced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds, and any."""
        return [("any", _("Came back")), *((kind.value, str(kind.label)) for kind in BounceKind)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Registrations of people with such a bounce at their present address."""
        value = self.value()
        if not value:
            return queryset
        found = MailBounce.objects.current()
        if value != "any":
            found = found.filter(kind=value)
        return queryset.filter(participant__in=found.values("participant"))


@admin.display(description=gettext_lazy("mails"))
def mails(registration: Registration) -> str:
    """Whether mails arrive, in words."""
    bounce = bounces.of(registration)
    if bounce is None:
        return "-"
    numbers = f" ({bounce.code})" if bounce.code else ""
    return f"{bounce.get_kind_display()}{numbers}, {clock_time(bounce.at)}"
