"""What a form was filled in upon: nobody's changes are overwritten unseen.

Every form of a stored row carries, signed, the values it was opened with, its inlines included. When it comes back, the
rows are locked and compared with that; a difference means that somebody else has saved meanwhile. Then nothing is
saved. The form is shown again with what was typed; fields that only the other person touched show their value, and a
table says who, when, and what it was before, is now and would become. Saving once more is deliberate: the form then
carries the values that the table showed. (docs/design.md section 4.10)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import models
from django.db.models import Q
from django.forms.models import model_to_dict
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance.admin.lists import clock_time
from alliance.exceptions import DomainError

FIELD = "_seen"  # the hidden input
_SALT = "alliance.admin.versions"

Values = dict[str, Any]  # field name: plain value
Rows = dict[str, Values]  # primary key as text: values


class ChangedMeanwhile(DomainError):
    """Somebody else saved the row, or an inline of it, after the form was opened."""

    code = "changed_meanwhile"
    message = gettext_lazy("Somebody else has changed this meanwhile. Nothing was saved; what you typed is still here.")


@dataclass(frozen=True, slots=True)
class State:
    """The values of a row and of its inlines, by the prefix of their formset."""

    row: Values
    inlines: dict[str, Rows] = field(default_factory=dict)

    def signed(self, subject: str, at: datetime) -> str:
        """As the form carries it. subject: the row it is about, so that it fits no other."""
        data = {"of": subject, "at": at.isoformat(), "row": self.row, "inlines": self.inlines}
        return signing.dumps(data, salt=_SALT, compress=True)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What was seen and what is stored now. opened_at is None when it cannot be told what was seen."""

    seen: State
    now: State
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One difference, ready to show. taken: which of the two stands in the form now, "mine", "theirs" or nothing."""

    label: str
    before: str
    theirs: str
    mine: str
    taken: str = ""


def subject_of(row: models.Model) -> str:
    """What a signed state belongs to."""
    return f"{row._meta.concrete_model._meta.label_lower}:{row.pk}"  # type: ignore[union-attr]


def plain(value: Any) -> Any:
    """A field's value as JSON keeps it, the same for the same stored value."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable):
        rows = list(value)
        found = [plain(inner) for inner in rows]
        return sorted(found, key=str) if rows and isinstance(rows[0], models.Model) else found
    return str(value)


def _names(model: type[models.Model], names: Iterable[str]) -> list[str]:
    """Those names that are editable columns of the model, many-to-many relations included."""
    own = {column.name for column in [*model._meta.concrete_fields, *model._meta.many_to_many] if column.editable}
    return sorted(own.intersection(names))


def _values(row: models.Model, names: Iterable[str]) -> Values:
    return {name: plain(value) for name, value in model_to_dict(row, fields=list(names)).items()}


def rows_of(formset: Any) -> Rows:
    """The stored rows of an inline, with the fields its form has. Nothing is asked again."""
    model = formset.model
    columns = {column.name for column in model._meta.concrete_fields if not column.primary_key}
    names = columns.intersection(formset.form.base_fields) - {formset.fk.name}
    return {str(row.pk): _values(row, names) for row in formset.get_queryset()}


def opened(form: Any, formsets: Iterable[Any]) -> State:
    """The state that an unsent form shows."""
    open_fields = [name for name, entry in form.fields.items() if not entry.disabled]  # never the hash of a password
    names = [name for name in _names(form._meta.model, open_fields) if name in form.initial]
    row = {name: plain(form.initial[name]) for name in names}
    return State(row, {formset.prefix: rows_of(formset) for formset in formsets})


def conflict(sent: str, row: models.Model, formsets: Iterable[Any]) -> Conflict | None:
    """Compare what a form carries with what is stored. The rows must be locked. None: nobody changed anything."""
    formsets = list(formsets)
    try:
        data = signing.loads(sent, salt=_SALT)
        if data["of"] != subject_of(row):
            raise signing.BadSignature
    except signing.BadSignature:
        return Conflict(State({}), State({}, {formset.prefix: rows_of(formset) for formset in formsets}), None)
    seen = State(data["row"], data["inlines"])
    now = State(
        _values(row, seen.row),
        {formset.prefix: rows_of(formset) for formset in formsets if formset.prefix in seen.inlines},
    )
    if now == State(seen.row, {prefix: rows for prefix, rows in seen.inlines.items() if prefix in now.inlines}):
        return None
    return Conflict(seen, now, datetime.fromisoformat(data["at"]))


def typed(data: QueryDict) -> list[tuple[str, str]]:
    """Names and values of a form that can no longer be saved, without what the page itself put there."""
    of_page = ("_FORMS", "-id", FIELD, "csrfmiddlewaretoken", "_save", "_continue", "_addanother")
    return [
        (name, value)
        for name in data
        if not name.endswith(of_page) and "__prefix__" not in name
        for value in data.getlist(name)
        if value
    ]


# --- what becomes of the form that was sent -------------------------------------------------------------------------


def without_deleted(data: QueryDict, formsets: Iterable[Any], found: Conflict) -> QueryDict:
    """What was sent, with rows that are deleted by now turned into new ones where they were changed, else left out.

    A row that is gone cannot be saved; what was typed into it stays in the form as a row to be added.
    """
    sent = data.copy()
    for formset in formsets:
        prefix, known = formset.prefix, found.now.inlines.get(formset.prefix, {})
        seen = found.seen.inlines.get(prefix, {})
        key = formset.model._meta.pk.name
        forms_ = [*formset.forms]
        ids = [data.get(f"{prefix}-{index}-{key}", "") for index in range(len(forms_))]
        if all(one in known for one in ids[: formset.initial_form_count()]):
            continue
        kept, again = [], []
        for index, one in enumerate(forms_):
            if index >= formset.initial_form_count():
                again.append((index, False))
            elif ids[index] in known:
                kept.append((index, True))
            elif f"{prefix}-{index}-DELETE" not in data and _touched(one, seen.get(ids[index], {})):
                again.append((index, False))
        fields = {
            name: data.getlist(name)
            for name in data
            if name.startswith(f"{prefix}-") and name[len(prefix) + 1 :].split("-")[0].isdigit()
        }
        for name in fields:
            del sent[name]
        for place, (index, is_stored) in enumerate([*kept, *again]):
            start = f"{prefix}-{index}-"
            for name, values in fields.items():
                if name.startswith(start):
                    rest = name[len(start) :]
                    sent.setlist(f"{prefix}-{place}-{rest}", values if is_stored or rest != key else [""])
        sent[f"{prefix}-TOTAL_FORMS"] = str(len(kept) + len(again))
        sent[f"{prefix}-INITIAL_FORMS"] = str(len(kept))
    return sent


def _python(model: type[models.Model], name: str, value: Any) -> Any:
    """A plain value as forms take it for an initial one."""
    column = model._meta.get_field(name)
    return value if value is None or not isinstance(column, models.Field) else column.to_python(value)


def _is_touched(form: Any, name: str, before: Any) -> bool:
    """Whether what was sent differs from a plain value."""
    bound = form[name]
    column = form._meta.model._meta.get_field(name)
    initial = before if column.many_to_many else _python(form._meta.model, name, before)
    return bool(bound.field.has_changed(initial, bound.data))


def _touched(form: Any, before: Values) -> bool:
    return any(_is_touched(form, name, value) for name, value in before.items() if name in form.fields)


def lines(form: Any, formsets: Iterable[Any], found: Conflict) -> list[Line]:
    """Every difference, and fields that only the other person touched set to their value."""
    result = _lines_of_form(form, found.seen.row, found.now.row, "")
    for formset in formsets:
        seen, now = (state.inlines.get(formset.prefix, {}) for state in (found.seen, found.now))
        if found.opened_at is None:
            continue
        title = capfirst(str(formset.model._meta.verbose_name))
        by_key = {str(one.instance.pk): one for one in formset.initial_forms if one.instance.pk is not None}
        for key, before in seen.items():
            if key not in now:
                gone = _summary(formset, before)
                result.append(Line(f"{title} #{key}", gone, _("deleted"), ""))
            elif before != now[key] and key in by_key:
                result += _lines_of_form(by_key[key], before, now[key], f"{title} #{key}: ")
        for key, added in now.items():
            if key not in seen:
                result.append(
                    Line(f"{title} #{key}", "", _("added: %(what)s") % {"what": _summary(formset, added)}, "")
                )
    return result


def _summary(formset: Any, values: Values) -> str:
    """A row in a line: what its fields hold."""
    form = formset.empty_form
    texts = [_shown(form, name, value) for name, value in values.items() if name in form.fields]
    return " · ".join(text for text in texts if text)


def _lines_of_form(form: Any, seen: Values, now: Values, start: str) -> list[Line]:
    found = []
    for name, before in seen.items():
        if name not in form.fields or before == now.get(name):
            continue
        theirs, bound = now.get(name), form[name]
        is_mine = _is_touched(form, name, before)
        if not is_mine:
            # Not touched here: the form goes on with what the other person saved.
            bound.field.bound_data = lambda data, initial: initial
        mine = form.cleaned_data.get(name) if name in getattr(form, "cleaned_data", {}) else bound.data
        found.append(
            Line(
                label=start + str(bound.label),
                before=_shown(form, name, before),
                theirs=_shown(form, name, theirs),
                mine=_shown(form, name, plain(mine)) if is_mine else "",
                taken="mine" if is_mine else "theirs",
            )
        )
    return found


def _shown(form: Any, name: str, value: Any) -> str:
    """A plain value as people read it."""
    entry = form.fields[name]
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(entry, forms.ModelChoiceField) and entry.queryset is not None:
        keys = value if isinstance(value, list) else [value]
        # Of what can be chosen only: somebody may have typed the key of a row that is not theirs to see.
        return ", ".join(str(row) for row in entry.queryset.filter(pk__in=keys))
    if isinstance(value, dict):
        return "\n".join(f"{code}: {text}" for code, text in value.items())
    labels = {str(choice): str(label) for choice, label in getattr(entry, "choices", [])}
    if isinstance(value, list):
        return ", ".join(labels.get(str(one), str(one)) for one in value)
    if isinstance(form._meta.model._meta.get_field(name), models.DateTimeField):
        return clock_time(datetime.fromisoformat(value), timezone.get_current_timezone())
    return labels.get(str(value), str(value))


def last_change(row: models.Model, formsets: Iterable[Any], found: Conflict) -> LogEntry | None:
    """Who saved the row or an inline last, after the form was opened; None when it was no page of the admin."""
    if found.opened_at is None:
        return None
    keys = {row._meta.concrete_model: [str(row.pk)]}
    for formset in formsets:
        seen, now = (state.inlines.get(formset.prefix, {}) for state in (found.seen, found.now))
        keys[formset.model] = [key for key in {*seen, *now} if seen.get(key) != now.get(key)]
    wanted = Q()
    for model, ids in keys.items():
        for kind in ContentType.objects.get_for_models(*_kin(model), for_concrete_models=False).values():
            wanted |= Q(content_type=kind, object_id__in=ids)
    entries = LogEntry.objects.filter(wanted, action_time__gte=found.opened_at).select_related("user")
    return entries.order_by("-action_time", "-pk").first()


def _kin(model: Any) -> list[Any]:
    """The model and its proxies: the history knows them by different names."""
    concrete = model._meta.concrete_model
    return [one for one in model._meta.apps.get_models() if one._meta.concrete_model is concrete]
