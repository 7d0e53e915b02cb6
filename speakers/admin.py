"""People who speak, and what they contribute to which session."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from alliance.admin import (
    HouseAdmin,
    HouseForm,
    HouseTabular,
    RelatedPage,
    choices_of,
    explain,
    in_all_languages,
)
from alliance.admin.history import write_history
from events.admin import SessionAdmin, chosen_id, programme, removals
from events.models import Conference, Segment, Session
from speakers import admin_search as admin_search
from speakers import invitation_admin as invitation_admin
from speakers import programme_checks
from speakers.models import Affiliation, Contribution, ContributionStatus, Person, TookPart

explain("person_has_display_name", _("Give the display name."), field="display_name")
explain(
    "person_pseudonym_has_no_other_name",
    _("A pseudonym stands alone: no other name or spelling, no biography, no post-nominals, no note."),
    field="is_pseudonym",
)
explain(
    "person_taken_down_is_hidden",
    _("The person was taken down at once. Lift that first; then they can be shown."),
    field="is_hidden",
)
explain("protection_withholds", _("This is not printed for this person. Leave it empty."))
explain("affiliation_ends_after_it_starts", _("An affiliation ends before it starts."))
explain("contribution_position_unique_in_session", _("Two contributions of the session have the same position."))
explain(
    "contribution_has_person_or_label",
    _("Choose a person. A seat without a name is entered on the contribution's own page."),
    field="person",
)
explain(
    "contribution_country_and_meaning_are_a_pair",
    _("Say what the country means: State represented, seat of the organisation, or as stated."),
    field="country_meaning",
)


class AffiliationFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """A pseudonym was nothing anywhere: an affiliation would tell who is behind it."""

    def clean(self) -> None:
        """Refuse affiliations that would stay beside a pseudonym. The person's own form was checked before."""
        super().clean()
        staying = [form for form in self.forms if form.instance.pk or form.has_changed()]
        if self.instance.is_pseudonym and any(form not in self.deleted_forms for form in staying):
            raise ValidationError(_("A pseudonym stands alone. Delete the affiliations."))


class AffiliationInline(HouseTabular[Affiliation, Person]):
    """What somebody was where and when."""

    model = Affiliation
    formset = AffiliationFormSet
    fields = ["organisation", "role_title", "since", "until"]
    autocomplete_fields = ["organisation"]
    load = ("organisation",)
    ordering = ["-since", "pk"]


class PersonForm(HouseForm[Person]):
    """A pseudonym is the whole name."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse what would be a trace to the person behind a pseudonym; a key made from the real name is one."""
        cleaned = super().clean()
        if not self.cleaned_data.get("is_pseudonym"):
            return cleaned
        for field in ("given_name", "family_name", "sort_name", "post_nominals", "aliases", "internal_note"):
            if self.cleaned_data.get(field):
                self.add_error(field, _("A pseudonym stands alone. Empty this field."))
        if self.instance.pk and not self.initial.get("is_pseudonym"):
            if "key" not in self.changed_data:
                self.add_error("key", _("Give a new key that does not tell the real name."))
            if self.instance.contributions.exclude(name_printed="").exists():
                self.add_error(None, _("Contributions have another printed name. Empty it there first."))
        # The earlier one must not stay behind when a pseudonym is changed; see PersonAdmin.fields_to_save().
        self.instance.given_name = self.instance.sort_name = ""
        return cleaned


class PersonAdmin(HouseAdmin[Person]):
    """People who speak. Somebody under a pseudonym has that name and no other, here as everywhere."""

    form = PersonForm
    prose = frozenset({"biography"})
    inlines = [AffiliationInline]
    list_display = ["display_name", "is_pseudonym", "is_hidden", "updated_at"]
    list_filter = ["is_hidden", "is_pseudonym"]
    ordering = ["sort_name", "display_name", "pk"]
    search_fields = ["display_name", "sort_name", "key", "aliases"]
    search_by_id = ("public_id",)
    related_pages = [RelatedPage(_("Contributions"), Contribution, "person__id")]
    _other_names = (("given_name", "family_name", "sort_name"), "post_nominals", "aliases")

    def get_fieldsets(self, request: HttpRequest, obj: Person | None = None) -> Any:
        """Somebody under a pseudonym has no fields for another name."""
        protected = obj is not None and obj.is_pseudonym
        return [
            (None, {"fields": ["display_name", "key", "is_pseudonym", "is_hidden"]}),
            *([] if protected else [(_("Parts of the name"), {"fields": self._other_names})]),
            *([] if protected else [(_("Short biography"), {"fields": ["biography"]})]),
            *([] if protected else [(_("For the record"), {"classes": ["collapse"], "fields": ["internal_note"]})]),
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No address of the list finds those who are protected: only officers see who is."""
        return "protection" not in lookup and super().lookup_allowed(lookup, value, request)

    def fields_to_save(self, form: Any) -> list[str]:
        """With a pseudonym the fields that nobody sees any more, emptied."""
        names = super().fields_to_save(form)
        return sorted({*names, "given_name", "sort_name"}) if names and form.instance.is_pseudonym else names

    def get_readonly_fields(self, request: HttpRequest, obj: Person | None = None) -> Any:
        """Who was taken down is shown again by lifting that, and not by this form."""
        found = super().get_readonly_fields(request, obj)
        return [*found, "is_hidden"] if obj is not None and obj.taken_down_at is not None else found

    def related_links(self, request: HttpRequest, row: Person) -> list[dict[str, str]]:
        """The panic switch first, at a conference where the person speaks."""
        spoken = Conference.objects.filter(sessions__contributions__person=row).distinct().newest_first()
        return [*removals.links(request, "person", row.public_id, spoken), *super().related_links(request, row)]

    def get_inlines(self, request: HttpRequest, obj: Person | None) -> Any:
        """Somebody under a pseudonym has no affiliations."""
        return [] if obj is not None and obj.is_pseudonym else self.inlines


class ContributionForm(HouseForm[Contribution]):
    """A contribution's segment must be of its session, and a pseudonym has no other name on any occasion."""

    def clean(self) -> dict[str, Any] | None:
        """Check both."""
        cleaned = super().clean()
        segment = self.cleaned_data.get("segment")
        session = self.cleaned_data.get("session")
        if segment is not None and session is not None and segment.session_id != session.pk:
            self.add_error("segment", _("This segment belongs to another session."))
        person = self.cleaned_data.get("person")
        if person is not None and person.is_pseudonym and self.cleaned_data.get("name_printed"):
            self.add_error("name_printed", _("A pseudonym stands alone. Empty this field."))
        return cleaned


def segment_choices(session_id: int | None) -> list[tuple[Any, str]]:
    """The segments of a session in order; none while the session is not known."""
    segments = Segment.objects.filter(session_id=session_id).order_by("position") if session_id else []
    return choices_of(segments, lambda segment: f"{segment.position}. {segment.heading or segment.key}")


class ContributionInline(HouseTabular[Contribution, Session]):
    """Who speaks in a session, in printed order. The wording in full is on the contribution's own page."""

    model = Contribution
    form = ContributionForm
    fields = ["position", "segment", "role", "person", "role_title", "organisation", "status"]
    autocomplete_fields = ["person", "organisation"]
    load = ("person", "organisation")
    ready_choices = ("segment",)
    ordering = ["position"]
    show_change_link = True

    def choices_for(self, field: str, parent: Session | None) -> list[tuple[Any, str]]:
        """The session's segments."""
        return segment_choices(parent.pk if parent else None)


class ContributionAdmin(HouseAdmin[Contribution]):
    """Contributions with their approved wording."""

    form = ContributionForm
    list_display = ["who", "role", "session", "status", "position", "took_part"]
    list_filter = ["status", "role", "is_announced", "took_part", "session__conference"]
    list_select_related = ["person", "session"]
    actions = ["mark_took_part"]
    ordering = ["-session__conference__starts_on", "session", "position"]
    search_fields = ["person__display_name", "name_printed", *in_all_languages("topic")]
    search_by_id = ("public_id",)
    autocomplete_fields = ["session", "person", "organisation", "other_organisations", "country"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("session", "segment"),
                    ("position", "agenda_position"),
                    "role",
                    ("person", "name_printed"),
                    "unnamed_label",
                    ("status", "final_status"),
                ]
            },
        ),
        (
            _("As approved for this occasion"),
            {
                "fields": [
                    ("honorific", "post_nominals"),
                    "role_title",
                    "organisation",
                    "other_organisations",
                    ("country", "country_meaning"),
                    "topic",
                    "heading_printed",
                ]
            },
        ),
        (
            _("Programme and report"),
            {
                "fields": [
                    ("is_announced", "visibility", "delivery"),
                    ("took_part", "is_in_report"),
                    "role_title_in_report",
                    "sources",
                    "internal_note",
                ]
            },
        ),
    ]

    def get_form(
        self, request: HttpRequest, obj: Contribution | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Segments of the session only."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "segment" in form.base_fields:
            session_id = obj.session_id if obj else chosen_id(request, "session")
            is_own = self.visible(request, Session.objects.filter(pk=session_id)).exists() if session_id else False
            form.base_fields["segment"].choices = segment_choices(session_id if is_own else None)
        return form

    @admin.action(description=_("Mark as having taken part"), permissions=["change"])
    def mark_took_part(self, request: HttpRequest, queryset: QuerySet[Contribution]) -> None:
        """After the conference: those who were there. The public sees it with the next release."""
        changed = list(queryset.exclude(took_part=TookPart.YES))
        Contribution.objects.filter(pk__in=[row.pk for row in changed]).update(took_part=TookPart.YES)
        write_history(request, changed, CHANGE, [{"changed": {"fields": ["took_part"]}}])
        self.message_user(
            request,
            ngettext("%d contribution was marked.", "%d contributions were marked.", len(changed)) % len(changed),
        )

    @admin.display(description=_("person"), ordering="person__sort_name")
    def who(self, contribution: Contribution) -> str:
        """The printed name, or the seat's label."""
        return contribution.name or str(contribution.unnamed_label)


def people_in_programme(conference: Conference) -> dict[int, list[str]]:
    """How many lead and speak in each session, for the programme page. Nobody who declined or was replaced."""
    counted = (
        Contribution.objects.filter(session__conference=conference)
        .exclude(status__in=[ContributionStatus.DECLINED, ContributionStatus.REPLACED])
        .values_list("session")
        .annotate(
            leading=Count("pk", filter=Q(role__in=programme_checks.LEADS)),
            speaking=Count("pk", filter=~Q(role__in=programme_checks.LEADS)),
        )
    )
    of_session = {session_id: [leading, speaking] for session_id, leading, speaking in counted}
    return {
        session_id: [
            *([ngettext("%d moderator", "%d moderators", leading) % leading] if leading else []),
            *([ngettext("%d speaker", "%d speakers", speaking) % speaking] if speaking else []),
        ]
        for session_id, (leading, speaking) in of_session.items()
    }


programme.add_notes(people_in_programme)
SessionAdmin.extra_inlines.append(ContributionInline)
SessionAdmin.related_pages.append(RelatedPage(_("Contributions"), Contribution, "session__id"))

admin.site.register(Person, PersonAdmin)
admin.site.register(Contribution, ContributionAdmin)
