"""What the start page of a conference leads to in the admin's lists: filters that show exactly the rows it counted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outbox.admin import MessageAdmin
from registration import workplace
from registration.letters import workplace_mails
from registration.models import Admission


class NeedsFilter(admin.SimpleListFilter):
    """By what an admission needs now."""

    title = _("what it needs")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The needs of the start page."""
        return [
            (workplace.FREE, _("People wait while seats are free")),
            (workplace.NEARLY_FULL, _("Full or nearly full")),
            (workplace.OVER, _("More people than places")),
            (workplace.MEETING, _("On-line without a meeting that is ready")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Admission]) -> QuerySet[Admission]:
        """Those that need it."""
        condition = workplace.admission_needs(timezone.now()).get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


if workplace_mails.ConferenceFilter not in MessageAdmin.list_filter:
    MessageAdmin.list_filter = [*MessageAdmin.list_filter, workplace_mails.ConferenceFilter]
