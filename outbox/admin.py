"""What leaves the house, and what did not: organisers see it, hold it, release it and send it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alliance.admin import ReadOnlyAdmin, as_json, clock_time, named
from alliance.exceptions import DomainError
from outbox import services, topics
from outbox.models import Message, MessageState

MOST_AT_ONCE = 500  # messages that one action touches


class MessageAdmin(ReadOnlyAdmin[Message]):
    """Messages, the newest first. They hold ids only, and so does this page.

    unseen: conditions of messages that this page must not show; apps add theirs.
    kind_name: what a kind of row is called; the app that knows the kinds sets it.
    """

    empty_text = gettext_lazy(
        "No message has been queued yet. They appear when people register, and when you write to them."
    )
    unseen: ClassVar[list[Callable[[], Q]]] = []
    kind_name: Callable[[str], str] = staticmethod(str)
    list_display = ["created", "title", "state", "about", "attempts", "next_attempt", "last_error"]
    list_display_links = ["created", "title"]
    list_filter = ["state", ("topic", named(topics.title_of)), "group"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["key", "topic"]
    search_by_id = ("public_id", "about_id")
    search_help_text = gettext_lazy("A topic, a part of the key, or a whole public id.")
    actions = ["send_again", "hold", "release"]
    fieldsets = [
        (None, {"fields": [("title", "topic"), ("state", "attempts"), "last_error"]}),
        (gettext_lazy("About"), {"fields": [("about_kind", "about_id", "about_version"), "shown_details"]}),
        (
            gettext_lazy("Times"),
            {"fields": [("created", "next_attempt"), ("leased", "deadline"), "finished"]},
        ),
        (gettext_lazy("Delivery"), {"fields": ["group", "key", "order_key", "public_id"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Without those whose being there would give somebody away."""
        rows = super().get_queryset(request)
        for condition in self.unseen:
            rows = rows.exclude(condition())
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add how the outbox stands."""
        if not cast("Any", request.user).access.holds_everywhere("outbox.view_message", "outbox.change_message"):
            return super().changelist_view(request, extra_context)  # the figures are of all conferences
        figures = services.figures(timezone.now())
        labels = dict(MessageState.choices)
        context = {
            "counts": [(labels[state], state, count) for state, count in figures.counts.items()],
            "outages": [
                {"group": outage.group, "since": clock_time(outage.since), "error": outage.last_error}
                for outage in figures.outages
            ],
        }
        return super().changelist_view(request, (extra_context or {}) | context)

    @admin.display(description=gettext_lazy("queued at"), ordering="created_at")
    def created(self, message: Message) -> str:
        """When it was written."""
        return clock_time(message.created_at)

    @staticmethod
    def label_of(message: Message) -> str:
        """What it says or does."""
        return topics.title_of(message.topic)

    @admin.display(description=gettext_lazy("message"), ordering="topic")
    def title(self, message: Message) -> str:
        """What it says or does; the page of the message has the topic itself, as logs have it."""
        return topics.title_of(message.topic)

    @admin.display(description=gettext_lazy("about"))
    def about(self, message: Message) -> str:
        """The kind and the beginning of the id."""
        return f"{self.kind_name(message.about_kind)} {message.about_id.hex[:8]}…"

    @admin.display(description=gettext_lazy("next attempt at"), ordering="next_attempt_at")
    def next_attempt(self, message: Message) -> str:
        """When it is tried next; nothing once it is finished."""
        return "-" if message.finished_at else clock_time(message.next_attempt_at)

    @admin.display(description=gettext_lazy("leased until"))
    def leased(self, message: Message) -> str:
        """Until when a worker has it."""
        return clock_time(message.leased_until)

    @admin.display(description=gettext_lazy("given up at"))
    def deadline(self, message: Message) -> str:
        """When nobody tries any more."""
        return clock_time(message.deadline_at)

    @admin.display(description=gettext_lazy("finished at"))
    def finished(self, message: Message) -> str:
        """When it was sent, given up, or found not needed."""
        return clock_time(message.finished_at)

    @admin.display(description=gettext_lazy("details"))
    def shown_details(self, message: Message) -> str:
        """Ids."""
        return as_json(message.details)

    @admin.action(description=gettext_lazy("Send again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Queue again what is not on its way."""
        sent = 0
        refused: Counter[str] = Counter()
        for pk in self._some(request, queryset):
            try:
                services.send_again(pk, by_user=request.user.pk, now=timezone.now())
            except DomainError as error:
                refused[str(error.message)] += 1
            else:
                sent += 1
        self._say(
            request,
            ngettext("%(count)s message will be sent again.", "%(count)s messages will be sent again.", sent),
            sent,
        )
        for why, count in refused.most_common():
            left_alone = ngettext(
                "%(count)s message left as it is: %(why)s", "%(count)s messages left as they are: %(why)s", count
            )
            self.message_user(request, left_alone % {"count": count, "why": why}, messages.WARNING)

    @admin.action(description=gettext_lazy("Hold back"), permissions=["change"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Keep what has not left yet."""
        held = services.hold(self._some(request, queryset), by_user=request.user.pk)
        self._say(request, ngettext("%(count)s message is held.", "%(count)s messages are held.", held), held)

    @admin.action(description=gettext_lazy("Release"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Let go what was held."""
        released = services.release(self._some(request, queryset), by_user=request.user.pk, now=timezone.now())
        self._say(
            request, ngettext("%(count)s message is released.", "%(count)s messages are released.", released), released
        )

    def _some(self, request: HttpRequest, queryset: QuerySet[Message]) -> list[int]:
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(ids) > MOST_AT_ONCE:
            too_many = _("Only the first %(count)s were looked at. Choose the action again for the rest.")
            self.message_user(request, too_many % {"count": MOST_AT_ONCE}, messages.WARNING)
        return ids[:MOST_AT_ONCE]

    def _say(self, request: HttpRequest, text: str, count: int) -> None:
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)


admin.site.register(Message, MessageAdmin)
