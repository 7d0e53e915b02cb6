"""Meetings on platforms: an address goes in here and never comes out."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import structlog
from django import forms
from django.contrib import admin, messages
from django.db.models import BooleanField, ExpressionWrapper, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance import crypto
from alliance.admin import HouseAdmin, HouseForm, explain, in_all_languages
from events.admin import conference_clock
from video import services
from video.adapters.static import UnsafeAddress, check_address
from video.admin_hosts import HostAccountAdmin, PlatformPrivacyAdmin
from video.models import HostAccount, Meeting, MeetingState, Platform, PlatformPrivacy
from video.services import rooms

log = structlog.get_logger("video")

explain(
    "meeting_belongs_to_session_or_conference",
    gettext_lazy("Choose either a session or a conference."),
    field="session",
)
explain("meeting_closes_after_it_opens", gettext_lazy("The meeting closes before it opens."), field="closes_at")
explain("meeting_ready_has_address", gettext_lazy("A meeting that is ready needs an address."))

NEW_SECRETS = ("host_address", "passcode", "dial_in")  # saved with the form; the address itself goes to the service


class _WriteOnly(forms.PasswordInput):
    """An input that never shows what is stored."""

    def __init__(self) -> None:
        super().__init__(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false", "size": 80})


class MeetingForm(HouseForm[Meeting]):
    """Takes new secrets; what is stored is not in the form."""

    try_again = forms.BooleanField(
        label=gettext_lazy("Ask the platform again"),
        required=False,
        help_text=gettext_lazy("Also if nothing has changed, for instance after an error was mended."),
    )
    new_address = forms.CharField(
        label=gettext_lazy("New address"),
        required=False,
        widget=_WriteOnly(),
        help_text=gettext_lazy(
            "Starts with https://. It is encrypted and never shown again; leave this empty to keep what is stored."
        ),
    )
    new_host_address = forms.CharField(
        label=gettext_lazy("New address for hosts"), required=False, widget=_WriteOnly(), max_length=2000
    )
    new_passcode = forms.CharField(
        label=gettext_lazy("New passcode"), required=False, widget=_WriteOnly(), max_length=200
    )
    new_dial_in = forms.CharField(
        label=gettext_lazy("New dial-in"), required=False, widget=_WriteOnly(), max_length=500
    )

    class Meta:
        model = Meeting
        fields = (
            "platform", "account", "session", "conference", "allowed_hosts", "opens_before", "opens_at", "closes_at",
            "fallback",
        )  # fmt: skip

    def clean_allowed_hosts(self) -> list[str]:
        """Hosts are compared in lower case."""
        return [host.lower() for host in self.cleaned_data["allowed_hosts"]]

    def clean(self) -> dict[str, Any] | None:
        """A new address must be safe; the stored one must stay on an allowed host."""
        cleaned = super().clean()
        address = self.cleaned_data.get("new_address", "")
        hosts = self.cleaned_data.get("allowed_hosts", [])
        if address and self.instance.state == MeetingState.CANCELLED:
            self.add_error("new_address", services.MeetingIsCancelled.message)
        elif address:
            try:
                check_address(address, allowed_hosts=hosts)
            except UnsafeAddress as error:
                self.add_error("new_address", error.message)
        elif hosts and "allowed_hosts" in self.changed_data and self.instance.pk:
            try:
                if self.instance.address:
                    check_address(self.instance.address, allowed_hosts=hosts)
            except UnsafeAddress as error:
                self.add_error("allowed_hosts", error.message)
            except crypto.Unreadable:
                log.warning("meeting_address_unreadable", meeting=str(self.instance.public_id))
        return cleaned


class MeetingAdmin(HouseAdmin[Meeting]):
    """Where people meet. State follows from the address and from the actions."""

    empty_text = gettext_lazy(
        "There is no meeting yet. Add one for what people attend on-line: an address, or a room on a platform."
    )
    form = MeetingForm
    list_display = ["belongs_to", "platform", "state", "address_is", "last_error", "updated_at"]
    list_per_page = 50
    list_filter = ["state", "platform"]
    list_select_related = ["session", "conference"]
    ordering = ["-pk"]
    search_fields = [*in_all_languages("session__title"), *in_all_languages("conference__title")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["session", "conference"]
    readonly_fields = [
        "state", "last_error", "address_is", "host_address_is", "passcode_is", "dial_in_is", "outlook", "warnings",
    ]  # fmt: skip
    actions = ["ask_again", "start_over", "mark_broken", "cancel_meetings"]
    fieldsets = [
        (None, {"fields": ["session", "conference", "platform", ("state", "last_error")]}),
        (
            gettext_lazy("On the platform"),
            {"fields": ["outlook", "warnings", "account", "fallback", "try_again"]},
        ),
        (
            gettext_lazy("Address"),
            {
                "fields": ["address_is", "new_address", "allowed_hosts"],
                "description": gettext_lazy(
                    "People are redirected there by their personal link. Nobody ever sees the address in a mail or on "
                    "a page of ours."
                ),
            },
        ),
        (
            gettext_lazy("Opening times"),
            {
                "fields": ["opens_before", ("opens_at", "closes_at")],
                "description": gettext_lazy("Times are on the venue's clock."),
            },
        ),
        (
            gettext_lazy("For hosts"),
            {
                "classes": ["collapse"],
                "fields": [
                    ("host_address_is", "new_host_address"),
                    ("passcode_is", "new_passcode"),
                    ("dial_in_is", "new_dial_in"),
                ],
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meeting]:
        """Whether there are secrets, without the secrets: a page must not need the key to say that they are there."""
        names = ["address", *NEW_SECRETS]
        known = {f"has_{name}": ExpressionWrapper(~Q(**{name: ""}), output_field=BooleanField()) for name in names}
        return super().get_queryset(request).defer(*names).annotate(**known)

    def fields_to_save(self, form: Any) -> list[str]:
        """With the secrets that were typed."""
        typed = [name for name in NEW_SECRETS if form.cleaned_data.get(f"new_{name}")]
        return [*super().fields_to_save(form), *typed]

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The venue's clock."""
        by_session = conference_clock(request, object_id, Meeting, "session__conference")
        return by_session if str(by_session) != "UTC" else conference_clock(request, object_id, Meeting, "conference")

    def save_model(self, request: HttpRequest, obj: Meeting, form: Any, change: bool) -> None:
        """The row is saved by the form; the address goes through the service, which makes the meeting ready."""
        for name in NEW_SECRETS:
            if new := form.cleaned_data.get(f"new_{name}"):
                setattr(obj, name, new)
        if change and "platform" in form.changed_data:
            rooms.leave_platform(obj.pk, now=timezone.now())
        super().save_model(request, obj, form, change)
        if address := form.cleaned_data.get("new_address"):
            services.save_address(
                obj.pk, address, by=actor(request), now=timezone.now(), allowed_hosts=obj.allowed_hosts
            )
        rooms.order(obj.pk, now=timezone.now(), again=bool(form.cleaned_data.get("try_again")))

    @staticmethod
    def label_of(meeting: Meeting) -> str:
        """What it belongs to."""
        thing = meeting.session or meeting.conference
        return str(thing.title) if thing is not None else str(meeting)

    @admin.display(description=gettext_lazy("belongs to"))
    def belongs_to(self, meeting: Meeting) -> Model | None:
        """The session or conference."""
        return meeting.session or meeting.conference

    def get_readonly_fields(self, request: HttpRequest, obj: Meeting | None = None) -> Any:
        """The host account is chosen by those who may see host accounts; else one that is free is taken."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.has_perm("video.view_hostaccount") else [*fields, "account"]

    @admin.display(description=gettext_lazy("what will happen"))
    def outlook(self, meeting: Meeting) -> str:
        """In words, what the platform is asked for next."""
        return rooms.outlook(meeting)

    @admin.display(description=gettext_lazy("warnings"))
    def warnings(self, meeting: Meeting) -> str:
        """What will not work, before it fails."""
        return "\n".join(rooms.warnings(meeting)) or "–"

    @admin.action(description=gettext_lazy("Ask the platform again"), permissions=["change"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """After an error was mended."""
        for meeting in queryset.exclude(state=MeetingState.CANCELLED):
            rooms.order(meeting.pk, now=timezone.now(), again=True)
        self.message_user(request, _("The platform is asked within a minute."), messages.SUCCESS)

    @admin.action(
        description=gettext_lazy("Make the room anew: people keep their links, the old room is taken off"),
        permissions=["change"],
    )
    def start_over(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """For a room that does not work."""
        for meeting in queryset.exclude(state=MeetingState.CANCELLED).exclude(platform=Platform.STATIC):
            rooms.start_over(meeting.pk, by=actor(request), now=timezone.now())
        self.message_user(request, _("The platform is asked within a minute."), messages.SUCCESS)

    @admin.display(description=gettext_lazy("address"))
    def address_is(self, meeting: Meeting) -> str:
        """Whether there is one."""
        return _set_or_not(meeting, "address")

    @admin.display(description=gettext_lazy("address for hosts"))
    def host_address_is(self, meeting: Meeting) -> str:
        """Whether there is one."""
        return _set_or_not(meeting, "host_address")

    @admin.display(description=gettext_lazy("passcode"))
    def passcode_is(self, meeting: Meeting) -> str:
        """Whether there is one."""
        return _set_or_not(meeting, "passcode")

    @admin.display(description=gettext_lazy("dial-in"))
    def dial_in_is(self, meeting: Meeting) -> str:
        """Whether there is one."""
        return _set_or_not(meeting, "dial_in")

    @admin.action(description=gettext_lazy("Mark as broken: nobody is let in"), permissions=["change"])
    def mark_broken(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """Stop letting people in until an address is saved again."""
        done = 0
        for meeting in queryset.exclude(state=MeetingState.CANCELLED):
            services.mark_broken(meeting.pk, reason=_("marked by an organiser"), by=actor(request), now=timezone.now())
            done += 1
        self.message_user(
            request,
            ngettext("%(count)s meeting is marked as broken.", "%(count)s meetings are marked as broken.", done)
            % {"count": done},
            messages.SUCCESS if done else messages.WARNING,
        )

    @admin.action(description=gettext_lazy("Cancel: the meeting does not take place"), permissions=["change"])
    def cancel_meetings(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """Cancel for good."""
        done = 0
        for meeting in queryset.exclude(state=MeetingState.CANCELLED):
            services.cancel(meeting.pk, by=actor(request), now=timezone.now())
            done += 1
        self.message_user(
            request,
            ngettext("%(count)s meeting is cancelled.", "%(count)s meetings are cancelled.", done) % {"count": done},
            messages.SUCCESS if done else messages.WARNING,
        )


def _set_or_not(meeting: Meeting, secret: str) -> str:
    return _("set") if getattr(meeting, f"has_{secret}", False) else _("not set")


admin.site.register(Meeting, MeetingAdmin)
admin.site.register(PlatformPrivacy, PlatformPrivacyAdmin)
admin.site.register(HostAccount, HostAccountAdmin)
