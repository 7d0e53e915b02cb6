"""Lists and forms: the base of every model's admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, urlencode

from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.db import DataError, IntegrityError, connection, models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from alliance.admin import versions
from alliance.admin.fields import HouseFields
from alliance.admin.forms import HouseForm, explanation
from alliance.admin.history import write_history
from alliance.admin.lists import as_uuid, list_url, without_number
from alliance.admin.scope import chosen_for, may
from alliance.admin.typed import M, ModelAdmin
from alliance.exceptions import DomainError


def _saves(request: HttpRequest) -> bool:
    """Whether a form is being saved, in the transaction that does it."""
    return request.method == "POST" and connection.in_atomic_block


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """A list that belongs to a row: the sessions of a conference. lookup: the list's filter, such as session__id."""

    label: str | Promise
    model: type[models.Model]
    lookup: str


class HouseAdmin(HouseFields, ModelAdmin[M]):
    """The admin of a model."""

    form: Any = HouseForm
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    save_on_top = True
    search_by_id: ClassVar[tuple[str, ...]] = ()  # fields holding public ids; a whole id finds its rows
    related_pages: ClassVar[list[RelatedPage]] = []
    is_known_by_label = False  # filters of other lists use label_of, which then must ask for no other row
    empty_text: str | Promise = ""  # what to do first, where the list has no rows yet

    def clock(self, request: HttpRequest, object_id: str | None) -> tzinfo:
        """The clock on which the form shows and takes times."""
        return UTC

    @staticmethod
    def label_of(row: Any) -> str:
        """What a row is called in search results, where namesakes may stand beside each other."""
        return str(row)

    @classmethod
    def title_of(cls, row: Any) -> str:
        """What a row is called in titles and links."""
        return without_number(cls.label_of(row))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new row belongs to what the list was filtered by, such as a conference."""
        initial = super().get_changeform_initial_data(request)
        for name, value in parse_qsl(str(request.GET.get("_changelist_filters", ""))):
            field = name.removesuffix("__id__exact")
            is_relation = any(one.name == field and one.many_to_one for one in self.opts.get_fields())
            if is_relation and field != name and value.isascii() and value.isdigit():
                initial.setdefault(field, value)
        return initial

    # --- who may see and change what: alliance.admin.scope

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[M]:
        """The rows that the user may see."""
        return self.visible(request, super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """For a row at its conference; else anywhere at all."""
        return may(request, self.opts, "view", obj) or may(request, self.opts, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """For a row at its conference; else anywhere at all."""
        return may(request, self.opts, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """For a row at its conference; else anywhere at all."""
        return may(request, self.opts, "delete", obj)

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[M], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Actions touch what they may be done to, which can be less than what the list shows."""
        return super().response_action(request, chosen_for(self, request, queryset), *args, **kwargs)

    # ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A list is called by what is in it. is_whole: all rows, or all of a conference: when empty, none was made."""
        is_whole = set(request.GET) <= {"conference__id__exact", "conference"}
        shown = {"title": capfirst(self.opts.verbose_name_plural), "is_whole": is_whole}
        return super().changelist_view(request, shown | (extra_context or {}))

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
            except versions.ChangedMeanwhile as error:
                # Nothing was saved. The same input goes through the form once more, to be shown with both versions.
                request.refusal = (None, str(error.message))  # type: ignore[attr-defined]
                response = super().changeform_view(request, object_id, form_url, extra_context)
            except (IntegrityError, DataError, DomainError) as error:
                # All is rolled back; the same input goes through the form once more, to be shown with the reason.
                request.refusal = explanation(error)  # type: ignore[attr-defined]
                response = super().changeform_view(request, object_id, form_url, extra_context)
            if isinstance(response, TemplateResponse):
                response.render()  # here, while the clock is right
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """The row. While a form is being saved it is locked, so that what is compared is what is overwritten.

        To people with roles a row outside of them is not there, whatever the page would say about permissions.
        """
        row = super().get_object(request, object_id, from_field)
        if row is None and cast("Any", request.user).access.has_roles:
            is_form = request.method == "POST" and versions.FIELD in request.POST
            if not (is_form and self.has_change_permission(request)):
                raise Http404
        if row is None or not _saves(request):
            return row
        self.model._default_manager.select_for_update(no_key=True).filter(pk=row.pk).values_list("pk").first()
        return super().get_object(request, object_id, from_field)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Somebody deleted the row while the form was open: show what was typed, so that it can be copied."""
        if request.method != "POST" or versions.FIELD not in request.POST:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("This was deleted meanwhile"),
            "typed": versions.typed(request.POST),
        }
        return TemplateResponse(request, "admin/gone.html", context, status=410)

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """Compare what the form was opened with to what is stored, before anything of it is looked at."""
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        sent = request.POST.get(versions.FIELD)
        if change and sent is not None and _saves(request):
            editable = [
                formset
                for formset, inline in zip(formsets, inlines, strict=True)
                if inline.has_change_permission(request, obj)
            ]
            found = versions.conflict(sent, obj, editable)
            is_shown = hasattr(request, "conflict")
            if found is not None:
                request.conflict = found  # type: ignore[attr-defined]
                if not is_shown:
                    request.POST = versions.without_deleted(request.POST, editable, found)  # type: ignore[assignment]
                    raise versions.ChangedMeanwhile
        return formsets, inlines

    def _versions(self, request: HttpRequest, context: dict[str, Any], row: M) -> dict[str, Any]:
        """What the form says about its version: the hidden input, and after a conflict who changed what."""
        form = context["adminform"].form
        formsets = [one.formset for one in context["inline_admin_formsets"] if one.has_change_permission]
        found: versions.Conflict | None = getattr(request, "conflict", None)
        if found is None:
            seen = request.POST.get(versions.FIELD)
            state = None if seen is not None else versions.opened(form, formsets)
            return {"seen": seen if state is None else state.signed(versions.subject_of(row), timezone.now())}
        now = found.now if found.opened_at is not None else versions.opened(form, formsets)
        return {
            "seen": now.signed(versions.subject_of(row), timezone.now()),
            "conflict": versions.lines(form, formsets, found),
            "conflict_is_unknown": found.opened_at is None,
            "changed_by": versions.last_change(row, formsets, found),
        }

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
            if self.has_change_permission(request, obj):
                context |= self._versions(request, context, obj)
            context |= {"related_pages": self.related_links(request, obj), "subtitle": self.title_of(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def related_links(self, request: HttpRequest, row: M) -> list[dict[str, str]]:
        """Label and address of the lists that belong to the row, as far as the user may see them."""
        links = []
        for page in self.related_pages:
            related_admin = self.admin_site._registry.get(page.model)
            if related_admin is not None and related_admin.has_view_permission(request):
                query = urlencode({f"{page.lookup}__exact": row.pk})
                links.append({"label": str(page.label), "url": f"{list_url(page.model)}?{query}"})
        return links

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with rows, without the tables that only connect two rows: nobody has heard of those."""
        tree, counts, lacking, protected = super().get_deleted_objects(objs, request)
        joining = [one._meta for one in apps.get_models(include_auto_created=True) if one._meta.auto_created]
        plurals = {one.verbose_name_plural for one in joining}
        starts = tuple(f"{capfirst(one.verbose_name)}: " for one in joining)

        def told(lines: list[Any]) -> list[Any]:
            found = (told(line) if isinstance(line, list) else line for line in lines)
            return [line for line in found if line and not (isinstance(line, str) and line.startswith(starts))]

        return told(tree), {name: count for name, count in counts.items() if name not in plurals}, lacking, protected

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
        return write_history(request, [obj], ADDITION, message)[0]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A history line without names."""
        return write_history(request, [obj], CHANGE, message)[0]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """History lines without names."""
        return write_history(request, queryset, DELETION, "")


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
