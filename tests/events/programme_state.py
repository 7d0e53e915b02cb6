"""The programme as plain data, to compare two databases row by row and field by field."""

from __future__ import annotations

from typing import Any

from django.db import models

from events.models import (
    Conference,
    ConferenceDay,
    Convenorship,
    Country,
    Material,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Segment,
    Series,
    Session,
    TextSection,
    Topic,
    Venue,
)
from registration.models import Admission, Figure, Places
from speakers.models import Affiliation, Contribution, Person

MODELS: list[type[models.Model]] = [
    Country, Organisation, Person, Affiliation, Topic, Series, Venue, Room, Conference, ConferenceDay, Session, Segment,
    Convenorship, TextSection, Recommendation, Reference, Material, Contribution, Admission, Places, Figure,
]  # fmt: skip
# Made anew with each row, in every database: no facts of the programme.
OWN_TO_THE_ROW = {"id", "public_id", "updated_at", "calendar_sequence", "calendar_changed_at", "taken_down_at"}
# What tells which row is meant, where others point at it.
IDENTITY = {
    "country": ["iso2"],
    "organisation": ["key"],
    "person": ["key"],
    "series": ["key"],
    "venue": ["name", "city", "country"],
    "room": ["venue", "name"],
    "conference": ["slug"],
    "conferenceday": ["conference", "number"],
    "session": ["conference", "key"],
    "segment": ["session", "key"],
    "recommendation": ["session", "parent", "kind", "number"],
    "admission": ["conference", "session", "mode"],
}


def told(row: models.Model | None, names: list[str] | None = None) -> Any:
    """The fields of a row; of the rows it points at only what tells which is meant."""
    if row is None:
        return None
    fields = [field for field in row._meta.concrete_fields if field.name not in OWN_TO_THE_ROW]
    if names is not None:
        fields = [field for field in fields if field.name in names]
    found: dict[str, Any] = {}
    for field in fields:
        value = getattr(row, field.name)
        found[field.name] = (
            told(value, IDENTITY[str(value._meta.model_name)]) if isinstance(value, models.Model) else value
        )
    for many in row._meta.many_to_many if names is None else []:
        found[many.name] = sorted(other.key for other in getattr(row, many.name).all())
    return found


def state() -> dict[str, list[Any]]:
    """Everything a programme file may speak of."""
    return {model.__name__: sorted((told(row) for row in model._default_manager.all()), key=repr) for model in MODELS}


def empty() -> None:
    """Remove it all, but for the topics that every database has."""
    Organisation.objects.update(part_of=None)
    for model in reversed(MODELS):
        if model is not Topic:
            model._default_manager.all().delete()
