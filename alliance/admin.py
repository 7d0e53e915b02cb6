"""The organisers' admin: what all its pages share.

Stock Django admin with four additions. Times are entered on the venue's clock. What the database refuses comes back as
a sentence, on the form that was sent. The history keeps ids, never names. Lists and forms cost the same number of
queries however many rows they show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import db, languages
from alliance.exceptions import DomainError
from alliance.translated import TranslatedField

log = structlog.get_logger("alliance.admin")

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)

if TYPE_CHECKING:
    from alliance.forms import TranslatedFormField

    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    StackedInline = admin.StackedInline
    ModelForm = forms.ModelForm
else:  # Django's classes take no type argument at run time

    class _Subscriptable:
        def __class_getitem__(cls, item):
            return cls

    class ModelAdmin(_Subscriptable, admin.ModelAdmin):
        pass

    class TabularInline(_Subscriptable, admin.TabularInline):
        pass

    class StackedInline(_Subscriptable, admin.StackedInline):
        pass

    class ModelForm(_Subscriptable, forms.ModelForm):
        pass


# --- what the database refuses, in words ----------------------------------------------------------------------------

_EXPLANATIONS: dict[str, tuple[str | None, str | Promise]] = {}


def explain(constraint: str, message: str | Promise, *, field: str | None = None) -> None:
    """Say in words what a constraint refuses. field: the form field to show it at, where the form has it."""
    _EXPLANATIONS[constraint] = (field, message)


def is_explained(constraint: str) -> bool:
    """Whether explain() was called for the constraint."""
    return constraint in _EXPLANATIONS


def _explanation(error: Exception) -> tuple[str | None, str]:
    if isinstance(error, DomainError):
        return None, str(error.message)
    if isinstance(error, IntegrityError) and (name := db.constraint_name(error)):
        field, message = _EXPLANATIONS.get(name, (None, ""))
        return field, str(message) or _("This contradicts what is stored already (%(rule)s).") % {"rule": name}
    return None, _("This holds characters or numbers that cannot be stored.")


class ShowsRefusal:
    """For forms that check input alone: what only the database knows is asked of the database, by saving."""

    refusal: ClassVar[tuple[str | None, str] | None] = None  # set when the same input was just refused by the database

    if TYPE_CHECKING:
        fields: dict[str, forms.Field]
        instance: Any

        def add_error(self, field: str | None, error: Any) -> None:
            """Of forms."""

    def _post_clean(self) -> None:
        """Leave constraints to the database: it knows, and swapping two positions is no conflict at the commit."""
        self.instance.validate_constraints = lambda exclude=None: None
        try:
            super()._post_clean()  # type: ignore[misc]
        finally:
            del self.instance.validate_constraints

    def clean(self) -> dict[str, Any] | None:
        """Show what the database said about this input a moment ago."""
        cleaned: dict[str, Any] | None = super().clean()  # type: ignore[misc]
        if self.refusal:
            field, message = self.refusal
            self.add_error(field if field in self.fields else None, message)
        return cleaned


class HouseForm(ShowsRefusal, ModelForm[M]):
    """The form of an admin page."""


# --- form fields ----------------------------------------------------------------------------------------------------


class LinesField(forms.CharField):
    """A list of texts, one a line; names may hold commas."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *, nullable: bool = False, most: int = 250, **kwargs: Any) -> None:
        self.nullable = nullable
        self.most = most
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Lines from a list."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """A list without empty lines; nothing is None where "not known" differs from "none"."""
        lines = [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]
        return lines or (None if self.nullable else [])

    def run_validators(self, value: Any) -> None:
        """Check each line."""
        super().run_validators("\n".join(value or []))
        if too_long := [line for line in value or [] if len(line) > self.most]:
            raise ValidationError(
                gettext_lazy("Each line may have at most %(most)s characters: “%(line)s…” is longer."),
                params={"most": self.most, "line": too_long[0][:30]},
            )

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their spelling in the text area."""
        return bool((initial or []) != (self.to_python(data) or []))


class _KnownSelection:
    """A select with search that needs no query for a choice whose row is loaded already."""

    known: dict[str, str] = {}

    def optgroups(self, name: str, value: Sequence[Any], attr: dict[str, Any] | None = None) -> Any:
        """The selected choices, from what is known, else from the database."""
        chosen = [str(one) for one in value if one not in (None, "")]
        if not all(one in self.known for one in chosen):
            return super().optgroups(name, value, attr)  # type: ignore[misc]
        options: list[Any] = []
        if not self.is_required and not self.allow_multiple_selected:  # type: ignore[attr-defined]
            options.append(self.create_option(name, "", "", False, 0))  # type: ignore[attr-defined]
        options += [
            self.create_option(name, one, self.known[one], {one}, index)  # type: ignore[attr-defined]
            for index, one in enumerate(chosen, start=len(options))
        ]
        return [(None, options, 0)]


class KnownSelect(_KnownSelection, AutocompleteSelect):
    """One choice with search."""


class KnownSelectMultiple(_KnownSelection, AutocompleteSelectMultiple):
    """Several choices with search."""


def choices_of(rows: Iterable[M], label: Callable[[M], str], *, empty: bool = True) -> list[tuple[Any, str]]:
    """Ready choices for a select, so that ten rows of an inline do not ask ten times."""
    return ([("", "---------")] if empty else []) + [(row.pk, label(row)) for row in rows]


class _HouseFields:
    """How fields of our own kinds appear in forms; shared by admins and inlines."""

    prose: ClassVar[frozenset[str]] = frozenset()  # translated fields of more than a line

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Translated texts and lists have fields of their own."""
        if isinstance(db_field, TranslatedField):
            field: TranslatedFormField = db_field.formfield(multiline=db_field.name in self.prose)
            return field
        if isinstance(db_field, ArrayField):
            base: Any = db_field.base_field
            common: dict[str, Any] = {
                "label": capfirst(db_field.verbose_name),
                "required": not db_field.blank,
                "help_text": db_field.help_text,
            }
            if base.choices:
                return forms.TypedMultipleChoiceField(
                    choices=base.choices, coerce=str, widget=forms.CheckboxSelectMultiple, **common
                )
            return LinesField(
                nullable=db_field.null,
                most=base.max_length or 250,
                **common | {"help_text": db_field.help_text or _("One a line.")},
            )
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Searchable selects know what is loaded."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = KnownSelect(db_field, self.admin_site)  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Searchable selects know what is loaded."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = KnownSelectMultiple(db_field, self.admin_site)  # type: ignore[attr-defined]
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


def in_all_languages(field: str) -> list[str]:
    """The search fields of a translated text."""
    return [f"{field}__{code}" for code in languages.codes()]


# --- history without names ------------------------------------------------------------------------------------------


def neutral_name(row: models.Model) -> str:
    """What the history calls a row: its kind and the beginning of its public id, whatever __str__ says."""
    public_id = getattr(row, "public_id", None)
    short = f"{public_id.hex[:8]}…" if isinstance(public_id, UUID) else f"#{row.pk}"
    return f"{row._meta.model_name} {short}"


_NUMBER = re.compile(r"\(#(\d+)\)$")


def _neutral_message(message: Any) -> str:
    """The message of a history line without what __str__ said about rows of inlines."""
    if not isinstance(message, list):
        return str(message)
    for entry in message:
        for change in entry.values():
            if "object" in change:
                found = _NUMBER.search(str(change["object"]))
                change["object"] = f"#{found[1]}" if found else "…"
    return json.dumps(message)


def _history(request: HttpRequest, rows: Iterable[models.Model], flag: int, message: Any) -> list[LogEntry]:
    lines = [
        LogEntry(
            user_id=cast("int", request.user.pk),
            content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
            object_id=row.pk,
            object_repr=neutral_name(row),
            action_flag=flag,
            change_message=_neutral_message(message),
        )
        for row in rows
    ]
    return LogEntry.objects.bulk_create(lines)


# --- lists and forms ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """A list that belongs to a row: the sessions of a conference. lookup: the list's filter, such as session__id."""

    label: str | Promise
    model: type[models.Model]
    lookup: str


class HouseAdmin(_HouseFields, ModelAdmin[M]):
    """The admin of a model."""

    form: Any = HouseForm
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    save_on_top = True
    search_by_id: ClassVar[tuple[str, ...]] = ()  # fields holding public ids; a whole id finds its rows
    related_pages: ClassVar[list[RelatedPage]] = []

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The clock on which the form shows and takes times."""
        return UTC

    @staticmethod
    def label_of(row: Any) -> str:
        """What a row is called in titles and search results."""
        return str(row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A list is called by what is in it."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, knowing what the database said about the same input a moment ago."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form on the venue's clock; what the database refuses is shown on it."""
        with timezone.override(self.clock(request, object_id)):
            try:
                response = super().changeform_view(request, object_id, form_url, extra_context)
            except (IntegrityError, DataError, DomainError) as error:
                # All is rolled back; the same input goes through the form once more, to be shown with the reason.
                request.refusal = _explanation(error)  # type: ignore[attr-defined]
                response = super().changeform_view(request, object_id, form_url, extra_context)
            if isinstance(response, TemplateResponse):
                response.render()  # here, while the clock is right
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        """Add links to the lists that belong to the row, and call it by its name."""
        if obj is not None:
            context |= {"related_pages": self._related_links(request, obj), "subtitle": self.label_of(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _related_links(self, request: HttpRequest, row: M) -> list[dict[str, str]]:
        links = []
        for page in self.related_pages:
            related_admin = self.admin_site._registry.get(page.model)
            if related_admin is not None and related_admin.has_view_permission(request):
                query = urlencode({f"{page.lookup}__exact": row.pk})
                links.append({"label": str(page.label), "url": f"{list_url(page.model)}?{query}"})
        return links

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Save what was changed on the form and nothing else: somebody else may have changed the rest meanwhile."""
        if not change:
            obj.save()
        elif names := self.fields_to_save(form):
            stamps = [field.name for field in self.opts.concrete_fields if getattr(field, "auto_now", False)]
            obj.save(update_fields=[*names, *stamps])

    def fields_to_save(self, form: Any) -> list[str]:
        """The model's fields that the form has changed."""
        concrete = {field.name for field in self.opts.concrete_fields}
        return [name for name in form.changed_data if name in concrete]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[M], search_term: str
    ) -> tuple[models.QuerySet[M], bool]:
        """A whole public id finds its rows; everything else is searched as text."""
        if self.search_by_id and (wanted := as_uuid(search_term)):
            found = models.Q()
            for field in self.search_by_id:
                found |= models.Q(**{field: wanted})
            return queryset.filter(found), False
        return super().get_search_results(request, queryset, search_term)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A history line without names."""
        return _history(request, [obj], ADDITION, message)[0]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A history line without names."""
        return _history(request, [obj], CHANGE, message)[0]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """History lines without names."""
        return _history(request, queryset, DELETION, "")


class ReadOnlyAdmin(HouseAdmin[M]):
    """The admin of rows that people only look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        """All of them."""
        shown = [name for _title, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        return [one for name in shown for one in (name if isinstance(name, (list, tuple)) else [name])]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """No save buttons: there is nothing to save."""
        context |= {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        context["title"] = capfirst(self.opts.verbose_name)
        return super().render_change_form(request, context, *args, **kwargs)


class _HouseInline(_HouseFields):
    """Rows that belong to another row, without a query per row for what select_related loaded."""

    form: Any = HouseForm
    extra = 0
    show_change_link = False
    load: ClassVar[tuple[str, ...]] = ()  # relations that the rows show
    ready_choices: ClassVar[tuple[str, ...]] = ()  # relations shown as plain selects; see choices_for

    def get_queryset(self, request: HttpRequest) -> Any:
        """The rows with what they show."""
        return super().get_queryset(request).select_related(*self.load)  # type: ignore[misc]

    def choices_for(self, field: str, parent: Any) -> list[tuple[Any, str]]:
        """The choices of a plain select, asked for once for all rows. parent: None while it is being added."""
        raise NotImplementedError(field)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """A formset whose selects know the rows that are loaded."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        ready = {name: self.choices_for(name, obj) for name in self.ready_choices if name in formset.form.base_fields}
        load = self.load

        class Knowing(formset):  # type: ignore[misc, valid-type]
            """The formset with choices filled in."""

            def add_fields(self, form: Any, index: int | None) -> None:
                """Fill in choices and labels of one row."""
                super().add_fields(form, index)
                for name, choices in ready.items():
                    if name in form.fields:
                        form.fields[name].choices = choices
                for name in load:
                    if name in form.fields and form.instance.pk is not None:
                        row = getattr(form.instance, name)
                        widget = getattr(form.fields[name].widget, "widget", form.fields[name].widget)
                        if row is not None and isinstance(widget, _KnownSelection):
                            widget.known = {str(row.pk): str(row)}

        return Knowing


class HouseTabular(_HouseInline, TabularInline[M, P]):
    """Rows as a table."""


class HouseStacked(_HouseInline, StackedInline[M, P]):
    """Rows as blocks."""


def of_parent_only(form: Any, field: str, *, parent: str = "conference") -> None:
    """Complain when the form's choice belongs to another conference than the row itself."""
    chosen, wanted = form.cleaned_data.get(field), form.cleaned_data.get(parent)
    if chosen is not None and wanted is not None and getattr(chosen, f"{parent}_id") != wanted.pk:
        form.add_error(field, _("This belongs to another conference."))


# --- small things that lists show -----------------------------------------------------------------------------------


def list_url(model: type[models.Model]) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row: models.Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def as_uuid(text: str) -> UUID | None:
    """The public id that was typed, if it is one."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def clock_time(instant: datetime | None, zone: tzinfo = UTC) -> str:
    """An instant on a clock, with the clock's name: "2030-07-15 11:00 CEST". A dash for an unknown one."""
    return "-" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def zone_named(name: str | None) -> tzinfo:
    """The clock of a conference by its stored name; UTC while none is chosen."""
    return ZoneInfo(name) if name else UTC


def as_json(data: Any) -> SafeString:
    """Structured data as readable text."""
    return format_html("<pre>{}</pre>", json.dumps(data, ensure_ascii=False, indent=2)) if data else SafeString("-")


def as_list(texts: Iterable[object]) -> SafeString:
    """Texts as a list."""
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in texts)))


def refuse(request: HttpRequest, what: str) -> None:
    """Log that somebody tried what they may not do, and stop. what: a fixed word."""
    log.warning("admin_refused", what=what, user=request.user.pk)
    raise PermissionDenied
