"""What readers may choose of a programme: languages, convenor, and how one takes part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from alliance import languages
from events.models import Conference, ConferenceDay, Convenorship, Format, Organisation, Session

NAMES = ("language", "interpretation", "convenor", "attendance")

_ATTENDED = {
    Format.IN_PERSON: (Format.IN_PERSON, Format.HYBRID),
    Format.ONLINE: (Format.ONLINE, Format.HYBRID),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing to choose. options: value in the address and what readers see, a text or a list of languages."""

    name: str
    label: str
    options: list[tuple[str, str | languages.Translations | list[str]]]


@dataclass(frozen=True, slots=True)
class Choices:
    """The filters a programme offers, what of them was chosen, and whether something was asked that it has not."""

    filters: list[Filter] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    has_unknown: bool = False


def with_options(days: QuerySet[ConferenceDay], conference: Conference) -> QuerySet[ConferenceDay]:
    """Days that also bring what the programme of the conference has to choose from: no query of its own.

    The subqueries are the same for all days; PostgreSQL asks them once.
    """
    items = conference.sessions.public().filter(is_in_agenda=True)
    convened = Convenorship.objects.filter(organisation=OuterRef("pk"), session__in=items)
    return days.annotate(
        spoken=_distinct_items(items, "working_languages"),
        interpreted=_distinct_items(items, "interpretation_languages"),
        formats=ArraySubquery(items.order_by("format").values("format").distinct()),
        convenors=ArraySubquery(
            Organisation.objects.filter(Exists(convened))
            .order_by("pk")
            .values(choice=JSONObject(key="key", name="name"))
        ),
    )


def _distinct_items(items: QuerySet[Session], name: str) -> ArraySubquery:
    value = Func(F(name), function="UNNEST", output_field=CharField())
    return ArraySubquery(items.annotate(value=value).order_by("value").values("value").distinct())


def choices(day: object, conference: Conference, wanted: Mapping[str, str]) -> Choices:
    """The filters worth offering, and the valid part of what was asked. day: any day from with_options, or None."""
    if day is None:
        return Choices(has_unknown=bool(wanted))
    formats = {Format(value or conference.format) for value in getattr(day, "formats", [])}
    convenors = [(row["key"], languages.translations(row["name"])) for row in getattr(day, "convenors", [])]
    offered = [
        Filter("language", gettext("Working language"), _by_language(getattr(day, "spoken", []))),
        Filter("interpretation", gettext("Interpretation"), _by_language(getattr(day, "interpreted", []))),
        Filter("convenor", gettext("Convenor"), sorted(convenors, key=lambda found: str(found[1]).casefold())),
        Filter(
            "attendance",
            gettext("Attendance"),
            [
                (value.value, str(value.label))
                for value, covers in _ATTENDED.items()
                if len(formats) > 1 and formats.intersection(covers)
            ],
        ),
    ]
    known = {found.name: {value for value, _label in found.options} for found in offered}
    chosen = {name: wanted[name] for name in NAMES if wanted.get(name, "") in known[name]}
    return Choices([found for found in offered if found.options], chosen, has_unknown=len(chosen) < len(wanted))


def _by_language(values: Iterable[str]) -> list[tuple[str, str | languages.Translations | list[str]]]:
    return [(value, [value]) for value in values]


def narrowed(sessions: QuerySet[Session], conference: Conference, chosen: Mapping[str, str]) -> QuerySet[Session]:
    """The sessions that fit everything chosen. A session without a format of its own has that of the conference."""
    if "language" in chosen:
        sessions = sessions.filter(working_languages__contains=[chosen["language"]])
    if "interpretation" in chosen:
        sessions = sessions.filter(interpretation_languages__contains=[chosen["interpretation"]])
    if "convenor" in chosen:
        convened = Convenorship.objects.filter(session=OuterRef("pk"), organisation__key=chosen["convenor"])
        sessions = sessions.filter(Exists(convened))
    if "attendance" in chosen:
        covers = _ATTENDED[Format(chosen["attendance"])]
        fits = Q(format__in=covers)
        sessions = sessions.filter(fits | Q(format="") if conference.format in covers else fits)
    return sessions
