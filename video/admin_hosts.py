"""Host accounts, whose credentials go in and never come out; and what platforms may learn of people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin import HouseAdmin, HouseForm, clock_time, explain
from video import hooks
from video.adapters.credentials import is_readable, missing
from video.models import HostAccount, HostUse, PlatformPrivacy
from video.services import hosts

explain("host_account_label_unique", gettext_lazy("There is a host account of that name."), field="label")


class HostAccountForm(HouseForm[HostAccount]):
    """Takes new credentials; what is stored is not in the form."""

    new_credentials = forms.CharField(
        label=gettext_lazy("New credentials"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line, such as CLIENT_ID=…; encrypted and never shown again. Better: set them in the environment."
        ),
    )

    class Meta:
        model = HostAccount
        fields = (
            "service", "label", "is_active", "host", "variables", "meetings_overlap", "daily_changes",
            "daily_registrants", "own_languages",
        )  # fmt: skip

    def clean_new_credentials(self) -> str:
        """Every line says what it is. The message does not repeat them."""
        text: str = self.cleaned_data["new_credentials"]
        if not is_readable(text):
            raise forms.ValidationError(_("Write one a line, such as CLIENT_ID=…"))
        return text


class HostAccountAdmin(HouseAdmin[HostAccount]):
    """Under which accounts meetings are held, and what of their budgets is left today."""

    form = HostAccountForm
    list_display = ["label", "service", "is_active", "credentials_are", "used_today"]
    list_filter = ["service", "is_active"]
    search_fields = ["label"]
    ordering = ["service", "label", "pk"]
    readonly_fields = ["credentials_are", "hook_address", "used_today"]
    fieldsets = [
        (None, {"fields": ["service", "label", "is_active", "host"]}),
        (gettext_lazy("Credentials"), {"fields": ["credentials_are", "variables", "new_credentials", "hook_address"]}),
        (
            gettext_lazy("Limits"),
            {"fields": ["meetings_overlap", ("daily_changes", "daily_registrants"), "used_today", "own_languages"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HostAccount]:
        """With today's use, and without the credentials: a page must not need the key to say that they are there."""
        today = HostUse.objects.filter(day=hosts.day_of(timezone.now()))
        found = super().get_queryset(request).annotate(has_own=ExpressionWrapper(~Q(credentials=""), BooleanField()))
        return found.defer("credentials").prefetch_related(Prefetch("uses", queryset=today, to_attr="today"))

    @staticmethod
    def label_of(row: Any) -> str:
        """Its name."""
        return str(row.label)

    def fields_to_save(self, form: Any) -> list[str]:
        """With the credentials that were typed."""
        typed = ["credentials"] if form.cleaned_data.get("new_credentials") else []
        return [*super().fields_to_save(form), *typed]

    def save_model(self, request: HttpRequest, obj: HostAccount, form: Any, change: bool) -> None:
        """Take the new credentials over."""
        if new := form.cleaned_data.get("new_credentials"):
            obj.credentials = new
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("credentials"))
    def credentials_are(self, account: HostAccount) -> str:
        """Whether all are there, and the names of those that are not."""
        if not account.service:
            return "–"
        if getattr(account, "has_own", False):
            return _("set")
        lacking = missing(HostAccount(service=account.service, variables=account.variables))
        return _("missing: %(names)s") % {"names": ", ".join(lacking)} if lacking else _("set")

    @admin.display(description=gettext_lazy("address for what the platform tells"))
    def hook_address(self, account: HostAccount) -> str:
        """Where the platform's events go; docs/joining.md says how."""
        if account.service not in hooks.WITH_HOOKS or account.pk is None:
            return "–"
        return settings.SITE_URL + reverse("video:hook", args=[account.service, account.public_id])

    @admin.display(description=gettext_lazy("used today"))
    def used_today(self, account: HostAccount) -> str:
        """Of the budgets of this day of UTC."""
        use = next(iter(getattr(account, "today", [])), HostUse())
        used = f"{use.changes}/{account.daily_changes} · {use.registrants}/{account.daily_registrants}"
        now = timezone.now()
        rests = [
            hosts.rests_until(account, "changes", now=now),
            hosts.rests_until(account, "registrants", now=now),
        ]
        if (last := max(filter(None, rests), default=None)) is None:
            return used
        said = {"used": used, "time": clock_time(last)}
        return _("%(used)s; the platform takes no more until %(time)s") % said


class PlatformPrivacyAdmin(HouseAdmin[PlatformPrivacy]):
    """Conferences that give platforms neither names nor addresses."""

    list_display = ["conference", "hides_people"]
    list_select_related = ["conference"]
    ordering = ["-pk"]
    autocomplete_fields = ["conference"]
    fields = ["conference", "hides_people"]

    @staticmethod
    def label_of(row: Any) -> str:
        """The conference."""
        return str(row.conference.title)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlatformPrivacy]:
        """With the conference, whose title names the row."""
        return super().get_queryset(request).select_related("conference")
