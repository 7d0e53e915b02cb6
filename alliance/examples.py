"""What the developers' component page shows: one example of everything, made without the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alliance import field_errors, zones
from alliance.languages import Translations


class ExampleForm(field_errors.ClearErrors, forms.Form):
    """One field of each kind."""

    given_name = forms.CharField(label=_("Given name"), max_length=100)
    email = forms.EmailField(label=_("E-mail address"), help_text=_("We send the confirmation there."))
    country = forms.ChoiceField(label=_("Country"), choices=[("", "—"), ("AT", "Österreich"), ("IT", "Italia")])
    mode = forms.ChoiceField(
        label=_("How will you take part?"),
        choices=[("in_person", _("In person")), ("online", _("On-line"))],
        widget=forms.RadioSelect,
    )
    events = forms.MultipleChoiceField(
        label=_("Side events"),
        choices=[("1", "Side event 1"), ("2", "Side event 2")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label=_("Support you need"), widget=forms.Textarea, required=False)
    consent = forms.BooleanField(label=_("I have read the privacy note"))


@dataclass(frozen=True)
class ExamplePlaces:
    """Places as registration.models.Places shows them."""

    capacity: int | None
    taken: int
    waiting: int
    left: int | None


_PARTS = [
    ("tokens", "Tokens"), ("frame", "Breadcrumb and language switch"), ("errors", "Error summary and form fields"),
    ("session", "Session card"), ("clocks", "Time with two clocks"), ("filters", "Filter bar"),
    ("timeline", "Timeline"),
    ("tags", "Status tags"), ("places", "Place meter"), ("notices", "Notices"), ("clash", "At the same time"),
    ("steps", "Step list"), ("table", "Table"), ("dialog", "Dialog"), ("empty", "Empty state"), ("toast", "Toast"),
]  # fmt: skip
_COLOURS = (
    "paper surface sunken ink ink-soft line line-strong brand brand-line link accent focus button good good-ground "
    "good-line care care-ground care-line bad bad-ground bad-line note note-ground note-line plain plain-ground "
    "plain-line"
)


def context() -> dict[str, Any]:
    """Everything the component page needs."""
    return {
        "form": ExampleForm({"given_name": "", "email": "ada@", "country": "", "note": "Ступеньки"}),
        "empty_form": ExampleForm(prefix="empty"),
        "parts": _PARTS,
        "colours": _COLOURS.split(),
        "steps_of_type": ["-1", "0", "1", "2", "3", "4"],
        "spaces": range(1, 9),
        "crumbs": [("Conferences", "#"), ("20th Conference", "#")],
        "places": [
            ExamplePlaces(None, 12, 0, None),
            ExamplePlaces(200, 41, 0, 159),
            ExamplePlaces(200, 197, 0, 3),
            ExamplePlaces(200, 200, 14, 0),
        ],
        "places_one": [ExamplePlaces(1, 0, 0, 1), ExamplePlaces(30, 0, 0, 30), ExamplePlaces(1, 1, 1, 0)],
        "statuses": [
            ("confirmed", "Confirmed"),
            ("pending", "Awaiting approval"),
            ("waitlisted", "Waiting list"),
            ("offered", "Offered"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
            ("attended", "Attended"),
            ("absent", "Absent"),
            ("tbc", "To be confirmed"),
            ("side_event", "Side event"),
        ],
        "notices": ["info", "success", "warning", "error"],
        "steps": ["What you attend", "About you", "Check and send"],
        "starts_at": datetime(2020, 7, 21, 9, 30, tzinfo=UTC),
        "ends_at": datetime(2020, 7, 21, 11, 0, tzinfo=UTC),
        "zones": zones.choices(),
        "clash_titles": ["Courts that listen"],
        "table": {
            "columns": ["Event", "Time", "Places"],
            "rows": [["Courts that listen", "10:00–12:00", "2"], ["Housing after the shelter", "11:00–13:00", "30"]],
        },
        "translated": Translations({"ru": "Полиция и общины"}),
    }
