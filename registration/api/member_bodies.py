"""What programs send about members, read with the forms of the pages: every fault is told, by field and row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from alliance.problems import Fault, InvalidParameters
from registration.api.writes import shown_name
from registration.delegations.lists import NomineeForm, ReplaceForm
from registration.models import AttendanceMode, DelegationCapacity
from registration.services.corrections import Correction
from registration.services.delegations import MOST_AT_ONCE, Nominee


def _texts(data: Any, known: Sequence[str], where: str) -> tuple[dict[str, str], list[Fault]]:
    """The texts of an object. Unknown names, other types and what no database can keep are faults."""
    if not isinstance(data, dict):
        return {}, [Fault("body", where, _("Expected an object."))]
    prefix = f"{where}." if where else ""
    texts, faults = {}, []
    for name, value in data.items():
        shown = prefix + shown_name(name)
        if name not in known:
            there = _("There is no such field here. Known: %(names)s.") % {"names": ", ".join(known)}
            faults.append(Fault("body", shown, there))
        elif not isinstance(value, str):
            faults.append(Fault("body", shown, _("Expected a text.")))
        elif not _can_be_kept(value):
            faults.append(Fault("body", shown, _("It has characters that cannot be read.")))
        else:
            texts[name] = value
    return texts, faults


def _can_be_kept(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\x00" not in text


def _checked(
    form_class: type[NomineeForm], texts: dict[str, str], where: str, *, only: Sequence[str] | None = None
) -> tuple[dict[str, Any], list[Fault]]:
    """What the form of the pages makes of the texts, and its faults by field."""
    form = form_class(texts)
    for name in list(form.fields):
        if only is not None and name not in only:
            del form.fields[name]
    form.full_clean()
    prefix = f"{where}." if where else ""
    faults = [
        Fault("body", f"{prefix}{name}" if name in form.fields else where, str(error))
        for name, errors in form.errors.items()
        for error in errors
    ]
    return form.cleaned_data, faults


def nominee_of(
    data: Any, form_class: type[NomineeForm], where: str, *, row: int, **fixed: str
) -> tuple[Nominee | None, list[Fault]]:
    """The person of an object, or every fault. where: of the object in the body. fixed: what is not for the sender."""
    known = [*form_class.base_fields, "language"]
    if form_class is ReplaceForm:
        known = [name for name in known if name not in {"capacity", "mode"}]
    texts, faults = _texts(data, known, where)
    if not isinstance(data, dict):
        return None, faults
    language = texts.pop("language", "en")
    codes = [code for code, _name in settings.LANGUAGES]
    if language not in codes:
        expected = _("Expected one of: %(choices)s.") % {"choices": ", ".join(codes)}
        faults.append(Fault("body", f"{where}.language" if where else "language", expected))
    told = {fault.name for fault in faults}
    defaults = {"capacity": DelegationCapacity.ADVISER.value, "mode": AttendanceMode.IN_PERSON.value}
    values, more = _checked(form_class, defaults | texts, where)
    faults += [fault for fault in more if fault.name not in told]
    if faults:
        return None, faults
    return Nominee(**(values | fixed), language=language, row=row), []


def nominees_of(data: dict[str, Any]) -> tuple[list[Nominee], list[Fault]]:
    """The people of {"members": [...]}, or every fault."""
    _nothing, faults = _texts(dict.fromkeys(data.keys() - {"members"}, ""), ["members"], "")
    rows = data.get("members")
    if not isinstance(rows, list):
        return [], [*faults, Fault("body", "members", _("Expected a list of objects."))]
    if not rows:
        faults.append(Fault("body", "members", _("The list is empty.")))
    if len(rows) > MOST_AT_ONCE:
        told = _("A list has at most %(limit)d people.") % {"limit": MOST_AT_ONCE}
        return [], [*faults, Fault("body", "members", told)]
    nominees = []
    for row, one in enumerate(rows, start=1):
        nominee, wrong = nominee_of(one, NomineeForm, json_row(row), row=row)
        faults += wrong
        nominees += [nominee] if nominee is not None else []
    return nominees, faults


def json_row(row: int) -> str:
    """Where a row stands in {"members": [...]}; 0 is the list."""
    return f"members.{row - 1}" if row else "members"


def csv_row(row: int) -> str:
    """Where a row stands in a list as text; the headings are row 1."""
    return f"rows.{row}" if row else ""


def correction_of(data: dict[str, Any]) -> Correction:
    """Raises InvalidParameters."""
    known = ["given_name", "family_name", "function", "capacity"]
    texts, faults = _texts(data, known, "")
    if not data:
        faults.append(Fault("body", "", _("Name at least one field to correct.")))
    wanted = [name for name in known if name in texts]
    if {"given_name", "family_name"} & set(data) and not {"given_name", "family_name"} <= set(data):
        faults.append(Fault("body", "family_name", _("Send both names together.")))
    told = {fault.name for fault in faults}
    values, more = _checked(NomineeForm, texts, "", only=wanted)
    faults += [fault for fault in more if fault.name not in told]
    if faults:
        raise InvalidParameters(faults)
    names = (values["given_name"], values["family_name"]) if "family_name" in values else None
    return Correction(names=names, function=values.get("function"), capacity=values.get("capacity"))
