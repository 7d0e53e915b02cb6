"""Papers, recommendations and references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseAdmin, HouseForm, in_all_languages, of_parent_only
from events import results
from events.admin.shared import OfConferenceForm, chosen_id, conference_slug
from events.models import Material, Recommendation, Reference, Topic


class MaterialAdmin(HouseAdmin[Material]):
    """Papers, videos and links."""

    form = OfConferenceForm
    list_display = ["shown_title", "kind", conference_slug, "session", "language", "visibility", "position"]
    list_filter = ["kind", "visibility", "conference"]
    list_select_related = ["conference", "session"]
    ordering = ["-conference__starts_on", "position", "pk"]
    search_fields = ["url", "publisher", *in_all_languages("title")]
    autocomplete_fields = ["conference", "session"]
    fieldsets = [
        (None, {"fields": ["conference", "session", ("kind", "position", "visibility"), "title", "url", "language"]}),
        (_("Publication"), {"classes": ["collapse"], "fields": [("publisher", "place", "year"), "published_on"]}),
    ]

    @admin.display(description=_("title"))
    def shown_title(self, material: Material) -> str:
        """The title, else the address."""
        return str(material.title) or material.url


class RecommendationForm(HouseForm[Recommendation]):
    """An item stands below one of its own session; items below it go where it goes."""

    def clean(self) -> dict[str, Any] | None:
        """Check it, in words: what is left over the database refuses."""
        cleaned = super().clean()
        of_parent_only(self, "parent", parent="session")
        if self.instance.pk and "session" in self.changed_data and self.instance.items.exists():
            self.add_error("session", _("Other items stand below this one; they would stay behind."))
        return cleaned


class RecommendationAdmin(HouseAdmin[Recommendation]):
    """Numbered results of sessions, and items below them."""

    form = RecommendationForm
    prose = frozenset({"text"})
    list_display = ["number", "kind", "text", "session"]
    list_display_links = ["number", "text"]
    list_filter = ["kind", "session__conference", ("session", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["session"]
    ordering = ["session", "kind", "number"]
    search_fields = [*in_all_languages("text")]
    autocomplete_fields = ["session"]
    fields = ["session", "parent", ("kind", "number"), "text", "addressee", "topics"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Topics are ticked."""
        if db_field.name != "topics":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.MultipleChoiceField(
            label=capfirst(db_field.verbose_name),
            required=False,
            choices=[(topic.key, str(topic.name)) for topic in Topic.objects.order_by("pk")],
            widget=forms.CheckboxSelectMultiple,
        )

    def get_form(
        self, request: HttpRequest, obj: Recommendation | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Only items of the session, and those an item can stand below."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "parent" in form.base_fields:
            session_id = obj.session_id if obj else chosen_id(request, "session")
            own = self.visible(request, Recommendation.objects.filter(session=session_id)) if session_id else None
            rows = Recommendation.objects.filter(pk__in=own).in_printed_order() if own is not None else []
            places = list(_places(results.tree(rows), obj))
            field = form.base_fields["parent"]
            field.queryset = Recommendation.objects.filter(pk__in=[pk for pk, _label in places])
            field.choices = [("", "---------"), *places]
        return form


def _places(items: list[results.Item], moved: Recommendation | None, before: str = "") -> Iterator[tuple[int, str]]:
    """Where an item can stand, as "6 a: the beginning of the text". Not below itself, nor below the lowest level."""
    for item in items:
        if moved is not None and item.row.pk == moved.pk:
            continue
        where = f"{before} {item.label}".strip()
        kind = "" if before else f"{item.row.get_kind_display()} "
        yield item.row.pk, f"{kind}{where}: {Truncator(str(item.row.text)).chars(70)}"
        if not before:
            yield from _places(item.items, moved, where)


class TopicAdmin(HouseAdmin[Topic]):
    """Subjects that results are tagged with."""

    list_display = ["name", "key"]
    ordering = ["pk"]
    search_fields = ["key", *in_all_languages("name")]
    fields = ["name", "key"]


class ReferenceAdmin(HouseAdmin[Reference]):
    """Sources cited in documents."""

    form = OfConferenceForm
    list_display = ["number_printed", "document", "citation", conference_slug]
    list_display_links = ["number_printed", "citation"]
    list_filter = ["document", "conference"]
    list_select_related = ["conference"]
    ordering = ["-conference__starts_on", "document", "pk"]
    search_fields = ["citation", "url"]
    autocomplete_fields = ["conference", "session"]
    fields = [
        "conference",
        "session",
        ("document", "number_printed"),
        "citation",
        ("url", "accessed_on"),
        "second_url",
        "internal_note",
    ]
