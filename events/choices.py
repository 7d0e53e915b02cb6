"""What readers may choose of a programme: day, kind, languages, convenor, and how one takes part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, CharField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from alliance import dates, languages
from events.models import Conference, ConferenceDay, Convenorship, Format, Organisation, Session, SessionKind

NAMES = ("kind", "language", "interpretation", "convenor", "attendance")
DAY = "day"  # a part of the path; in a query it is sent on to it

Label: TypeAlias = "str | languages.Translations | list[str]"

_ATTENDED = {
    Format.IN_PERSON: (Format.IN_PERSON, Format.HYBRID),
    Format.ONLINE: (Format.ONLINE, Format.HYBRID),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing to choose. options: value in the address and what readers see, a text or a list of languages."""

    name: str
    label: str
    options: list[tuple[str, Label]]
    chosen: str = ""

    @property
    def chosen_label(self) -> Label:
        """What readers see of the chosen value; empty without one."""
        return dict(self.options).get(self.chosen, "")


@dataclass(frozen=True, slots=True)
class Choices:
    """The filters a programme offers, what of them was chosen, and whether something was asked that it has not."""

    filters: list[Filter] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    has_unknown: bool = False

    @property
    def removals(self) -> list[tuple[Filter, dict[str, str]]]:
        """Each filter in force, and what stays chosen when it is taken off."""
        return [
            (found, {name: value for name, value in self.chosen.items() if name != found.name})
            for found in self.filters
            if found.name in self.chosen
        ]


def with_options(days: QuerySet[ConferenceDay], conference: Conference) -> QuerySet[ConferenceDay]:
    """Days that also bring what the programme of the conference has to choose from: no query of its own.

    The subqueries are the same for all days; PostgreSQL asks them once.
    """
    items = conference.sessions.public().filter(is_in_agenda=True)
    convened = Convenorship.objects.filter(organisation=OuterRef("pk"), session__in=items)
    talks = items.exclude(kind=SessionKind.BREAK)
    return days.annotate(
        kinds=ArraySubquery(items.order_by("kind").values("kind").distinct()),
        spoken=_distinct_items(items, "working_languages"),
        interpreted=_distinct_items(items, "interpretation_languages"),
        has_silent=_exists(talks.filter(working_languages=[])),
        has_uninterpreted=_exists(talks.filter(interpretation_languages=[])),
        formats=ArraySubquery(items.order_by("format").values("format").distinct()),
        convenors=ArraySubquery(
            Organisation.objects.filter(Exists(convened))
            .order_by("pk")
            .values(choice=JSONObject(key="key", name="name"))
        ),
    )


def _exists(items: QuerySet[Session]) -> ArraySubquery:
    """Whether there is such an item, as an array of one truth or of none: asked once, like the others."""
    truth = Value(True, output_field=BooleanField())
    return ArraySubquery(items.order_by().annotate(truth=truth).values("truth")[:1])


def _distinct_items(items: QuerySet[Session], name: str) -> ArraySubquery:
    value = Func(F(name), function="UNNEST", output_field=CharField())
    return ArraySubquery(items.annotate(value=value).order_by("value").values("value").distinct())


def choices(
    days: Sequence[ConferenceDay], conference: Conference, wanted: Mapping[str, str], *, number: int | None = None
) -> Choices:
    """The filters worth offering, and the valid part of what was asked.

    days: those of the conference, from with_options. number: the day whose page it is.
    """
    if not days:
        return Choices(has_unknown=bool(wanted))
    day: object = days[0]
    kinds: list[tuple[str, Label]] = [
        (value, str(label)) for value, label in SessionKind.choices if value in getattr(day, "kinds", [])
    ]
    formats = {Format(value or conference.format) for value in getattr(day, "formats", [])}
    convenors = [(row["key"], languages.translations(row["name"])) for row in getattr(day, "convenors", [])]
    spoken = {*getattr(day, "spoken", [])}
    if getattr(day, "has_silent", []):
        spoken |= {*(conference.working_languages or [])}
    interpreted = {*getattr(day, "interpreted", [])}
    if getattr(day, "has_uninterpreted", []):
        interpreted |= {*(conference.interpretation_languages or [])}
    offered = [
        Filter(
            DAY,
            gettext("Day"),
            [(str(found.number), dates.day(found.date, with_year=False)) for found in days if len(days) > 1],
            str(number or ""),
        ),
        Filter("kind", gettext("Kind"), kinds if len(kinds) > 1 else []),
        Filter("language", gettext("Working language"), _by_language(spoken)),
        Filter("interpretation", gettext("Interpretation"), _by_language(interpreted)),
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
    shown = [
        Filter(found.name, found.label, found.options, found.chosen or chosen.get(found.name, ""))
        for found in offered
        if found.options
    ]
    return Choices(shown, chosen, has_unknown=len(chosen) < len(wanted))


def _by_language(values: Iterable[str]) -> list[tuple[str, Label]]:
    return [(value, [value]) for value in sorted(values)]


def narrowed(sessions: QuerySet[Session], conference: Conference, chosen: Mapping[str, str]) -> QuerySet[Session]:
    """The sessions that fit everything chosen.

    A session without languages or a format of its own has those of the conference; a break has no languages.
    """
    if "kind" in chosen:
        sessions = sessions.filter(kind=chosen["kind"])
    if "language" in chosen:
        sessions = sessions.filter(_speaks("working_languages", conference.working_languages, chosen["language"]))
    if "interpretation" in chosen:
        inherited = conference.interpretation_languages
        sessions = sessions.filter(_speaks("interpretation_languages", inherited, chosen["interpretation"]))
    if "convenor" in chosen:
        convened = Convenorship.objects.filter(session=OuterRef("pk"), organisation__key=chosen["convenor"])
        sessions = sessions.filter(Exists(convened))
    if "attendance" in chosen:
        covers = _ATTENDED[Format(chosen["attendance"])]
        fits = Q(format__in=covers)
        sessions = sessions.filter(fits | Q(format="") if conference.format in covers else fits)
    return sessions


def _speaks(name: str, inherited: list[str] | None, language: str) -> Q:
    """Whether a session is in the language, by its own list or, without one, by that of the conference."""
    fits = Q(**{f"{name}__contains": [language]})
    if language in (inherited or []):
        fits |= Q(**{name: []}) & ~Q(kind=SessionKind.BREAK)
    return fits
