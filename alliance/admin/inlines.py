"""Rows that belong to another row, on its page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection
from django.http import HttpRequest

from alliance.admin.fields import HouseFields, KnownSelection
from alliance.admin.forms import HouseForm
from alliance.admin.scope import may
from alliance.admin.typed import M, P, StackedInline, TabularInline


class _HouseInline(HouseFields):
    """Rows that belong to another row, without a query per row for what select_related loaded."""

    form: Any = HouseForm
    extra = 0
    show_change_link = False
    load: ClassVar[tuple[str, ...]] = ()  # relations that the rows show
    ready_choices: ClassVar[tuple[str, ...]] = ()  # relations shown as plain selects; see choices_for

    def get_queryset(self, request: HttpRequest) -> Any:
        """The rows with what they show; locked while they are being saved (alliance.admin.versions)."""
        rows = super().get_queryset(request).select_related(*self.load)  # type: ignore[misc]
        if request.method == "POST" and connection.in_atomic_block:
            return rows.select_for_update(of=("self",), no_key=True)
        return rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """At the conference of the row they belong to."""
        return may(request, self.opts, "view", obj) or may(request, self.opts, "change", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """At the conference of the row they belong to."""
        return may(request, self.opts, "add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """At the conference of the row they belong to."""
        return may(request, self.opts, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """At the conference of the row they belong to."""
        return may(request, self.opts, "delete", obj)

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
                        if row is not None and isinstance(widget, KnownSelection):
                            widget.known = {str(row.pk): str(row)}

        return Knowing


class HouseTabular(_HouseInline, TabularInline[M, P]):
    """Rows as a table."""


class HouseStacked(_HouseInline, StackedInline[M, P]):
    """Rows as blocks."""
