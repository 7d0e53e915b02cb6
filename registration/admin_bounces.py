"""Whose mails come back, in the admin of registrations: a filter and a line."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin import clock_time
from registration import bounces
from registration.models import BounceKind, MailBounce, Registration


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
