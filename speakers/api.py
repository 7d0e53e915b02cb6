"""Who speaks, for programs: sessions with their contributions, side events, speakers and organisations.

Under a pseudonym stand the name and the fact that it is one, and nothing else: Contribution.wording decides, for pages
too. Filters treat what is not shown as if it were not there, so that nobody can guess by asking.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, LPad
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance.api.fields import CodeField, IdField, PageField, TextField, WrittenField
from alliance.api.filters import Choice, CountryCode, Filters, Id, Number, Search, SlugOrId
from alliance.api.paging import Key
from events import api as events_api
from events.models import Conference, Convenorship, Organisation, Session, SessionKind
from events.models.session import session_end
from speakers.models import (
    Contribution,
    ContributionQuerySet,
    ContributionStatus,
    CountryMeaning,
    Delivery,
    Person,
    Role,
)

# Who is invited and who has accepted in principle is the office's affair; the programme prints "(tbc)" for both.
SHOWN_STATUSES = [
    choice
    for choice in ContributionStatus.choices
    if choice[0] in {ContributionStatus.TBC, ContributionStatus.CONFIRMED}
]


def shown_contributions(now: datetime) -> ContributionQuerySet:
    """Contributions strangers may see at the instant."""
    return Contribution.objects.visible_at(now).filter(session__in=Session.objects.public())


class ContributionSerializer(serializers.ModelSerializer[Contribution]):
    """A person, or a seat without a name, in one session in one role, worded as approved for this occasion."""

    id = IdField()
    speaker = serializers.UUIDField(
        source="person.public_id",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="Null: a seat without a name.",
    )
    name = WrittenField(help_text="As printed on this occasion; null for a seat without a name.")
    is_pseudonym = serializers.BooleanField(source="person.is_pseudonym", read_only=True, default=False)
    unnamed_label = TextField(
        source="wording.unnamed_label", allow_null=True, help_text="What is printed for a seat without a name."
    )
    segment = serializers.IntegerField(
        source="segment.position", read_only=True, allow_null=True, default=None, help_text="Position of the segment."
    )
    role = CodeField(Role)
    status = serializers.SerializerMethodField(help_text="tbc: to be confirmed; print it with the name.")
    honorific = WrittenField(source="wording.honorific")
    post_nominals = WrittenField(source="wording.post_nominals")
    role_title = TextField(
        source="wording.role_title", allow_null=True, help_text="Title as approved; print it exactly so."
    )
    organisation = events_api.OrganisationRefSerializer(source="wording.organisation", read_only=True, allow_null=True)
    other_organisations = events_api.OrganisationRefSerializer(
        source="further_organisations", many=True, read_only=True
    )
    country = events_api.CountryRefSerializer(source="wording.country", read_only=True, allow_null=True)
    country_meaning = CodeField(
        CountryMeaning,
        source="wording.country_meaning",
        allow_null=True,
        help_text="Only state_represented means that the State speaks.",
    )
    topic = TextField(source="wording.topic", allow_null=True, help_text="Title of the talk.")
    delivery = CodeField(Delivery, source="wording.delivery", allow_null=True)
    announced = serializers.BooleanField(
        source="wording.is_announced",
        read_only=True,
        allow_null=True,
        help_text="Whether the programme named this before the session. Null: not told.",
    )
    took_part = serializers.SerializerMethodField(
        help_text="True once the session is over and it is known. Null says nothing: neither absence nor presence."
    )

    class Meta:
        model = Contribution
        fields = [
            "id",
            "speaker",
            "name",
            "is_pseudonym",
            "unnamed_label",
            "segment",
            "role",
            "status",
            "honorific",
            "post_nominals",
            "role_title",
            "organisation",
            "other_organisations",
            "country",
            "country_meaning",
            "topic",
            "delivery",
            "announced",
            "took_part",
        ]
        ref_name = "Contribution"

    @extend_schema_field(serializers.ChoiceField(choices=SHOWN_STATUSES))
    def get_status(self, contribution: Contribution) -> str:
        """As the pages print it."""
        return ContributionStatus.TBC if contribution.is_to_be_confirmed else ContributionStatus.CONFIRMED

    @extend_schema_field({"type": ["boolean", "null"], "enum": [True, None]})
    def get_took_part(self, contribution: Any) -> bool | None:
        """Only what is good to tell, and only afterwards (speakers.models.Wording)."""
        is_over = contribution.over_at is not None and contribution.over_at <= self.context["now"]
        return True if is_over and contribution.wording.took_part else None


# --- sessions -------------------------------------------------------------------------------------------------------


class SessionSerializer(events_api.SessionSerializer):
    """An item of the programme with who speaks. Where times are unknown, day and position order it."""

    contributions = ContributionSerializer(
        many=True, read_only=True, source="shown_contributions", help_text="In the approved order."
    )

    class Meta(events_api.SessionSerializer.Meta):
        fields = [*events_api.SessionSerializer.Meta.fields, "contributions"]
        ref_name = "Session"


class SessionFilters(events_api.SessionFilters):
    """Filters of the list of sessions."""

    speaker = Id("Id of somebody who speaks there.", method="by_contribution")
    role = Choice("A role somebody has there.", Role.values, method="by_contribution")
    country = CountryCode("Country printed with somebody who speaks there.", method="by_contribution")

    def by_contribution(self, sessions: QuerySet[Session], name: str, value: Any) -> QuerySet[Session]:
        """Sessions with a contribution that is shown and fits."""
        contributions = shown_contributions(self.now)
        if name == "country":
            contributions = contributions.under_their_own_name().filter(country__iso2=value)
        elif name == "role":
            contributions = contributions.filter(role=value)
        else:
            contributions = contributions.filter(person__public_id=value)
        return sessions.filter(Exists(contributions.filter(session=OuterRef("pk"))))


class SessionViewSet(events_api.SessionViewSet):
    """The programme as printed, side events included: newest conference first, then day and position."""

    serializer_class = SessionSerializer
    filterset_class = SessionFilters
    expansions = {
        **events_api.SessionViewSet.expansions,
        "contributions.organisation": events_api.whole_organisation("shown_contributions__organisation__"),
        "contributions.country": events_api.WHOLE_COUNTRY,
    }

    def get_queryset(self) -> QuerySet[Session]:
        """What strangers may see, with who may be shown at this instant."""
        contributions = (
            Contribution.objects.visible_at(self.now)
            .annotate(over_at=session_end("session__"))
            .select_related("person", "organisation", "country", "segment")
            .prefetch_related("other_organisations")
            .in_printed_order()
        )
        return (
            super()
            .get_queryset()
            .prefetch_related(Prefetch("contributions", contributions, to_attr="shown_contributions"))
        )


class SideEventViewSet(SessionViewSet):
    """Sessions that other bodies convene on the margins of a conference; they stand among the sessions too."""

    def get_queryset(self) -> QuerySet[Session]:
        """Side events alone."""
        return super().get_queryset().filter(kind=SessionKind.SIDE_EVENT)


# --- speakers -------------------------------------------------------------------------------------------------------


class SessionOfConferenceSerializer(events_api.SessionRefSerializer):
    """A session by name, with its conference."""

    conference = events_api.ConferenceRefSerializer(read_only=True)

    class Meta(events_api.SessionRefSerializer.Meta):
        fields = [*events_api.SessionRefSerializer.Meta.fields, "conference"]
        ref_name = "SessionOfConference"


class SpeakerContributionSerializer(ContributionSerializer):
    """One occasion on which somebody speaks."""

    session = SessionOfConferenceSerializer(read_only=True)

    class Meta(ContributionSerializer.Meta):
        fields = [
            name
            for name in [*ContributionSerializer.Meta.fields, "session"]
            if name not in {"speaker", "is_pseudonym", "unnamed_label"}
        ]
        ref_name = "SpeakerContribution"


class SpeakerSerializer(serializers.ModelSerializer[Person]):
    """Somebody who speaks at something public."""

    id = IdField()
    name = serializers.CharField(source="display_name", read_only=True)
    is_pseudonym = serializers.BooleanField(read_only=True)
    post_nominals = WrittenField()
    biography = TextField(allow_null=True)
    contributions = SpeakerContributionSerializer(many=True, read_only=True, source="shown_contributions")
    page = PageField(help_text="The page about the speaker on this site.")

    class Meta:
        model = Person
        fields = ["id", "name", "is_pseudonym", "post_nominals", "biography", "contributions", "page"]
        ref_name = "Speaker"


class SpeakerFilters(Filters):
    """Filters of the list of speakers. Those about contributions must all fit one and the same contribution."""

    conference = SlugOrId("Id or slug of a conference they speak at.", field_name="session__conference")
    edition = Number("Number of that conference in its series.", field_name="session__conference__edition")
    session = Id("Id of a session they speak at.", field_name="session")
    role = Choice("Their role there.", Role.values, field_name="role")
    status = Choice("Confirmed, or to be confirmed.", dict(SHOWN_STATUSES), method="by_status")
    country = CountryCode("Country printed with them there.", field_name="country__iso2")
    organisation = Id("Id of the organisation printed with them there.", field_name="organisation")
    search = Search("Words in the name.", names=["display_name"])

    def by_status(self, contributions: QuerySet[Contribution], name: str, value: Any) -> QuerySet[Contribution]:
        """As the pages print it."""
        unsure = Q(status__in=[ContributionStatus.INVITED, ContributionStatus.TBC])
        return contributions.filter(unsure if value == ContributionStatus.TBC else ~unsure)

    def filter_queryset(self, queryset: QuerySet[Person]) -> QuerySet[Person]:
        """Persons with a contribution that is shown and fits all of it."""
        given = {name: value for name, value in self.form.cleaned_data.items() if value is not None}
        persons = self.filters["search"].filter(queryset, given.pop("search", None))
        contributions = shown_contributions(self.now)
        if {"country", "organisation"} & given.keys():
            contributions = contributions.under_their_own_name()
        for name, value in given.items():
            contributions = self.filters[name].filter(contributions, value)
        speaking: QuerySet[Person] = persons.filter(Exists(contributions.filter(person=OuterRef("pk"))))
        return speaking


def _digits(number: Any, width: int) -> LPad:
    """A number as text that sorts like the number."""
    return LPad(Cast(number, models.TextField()), width, Value("0"))


def place_in_programme() -> Concat:
    """Where a contribution stands among all there are, as text that sorts: newest conference, day, session, position.

    One value instead of four, because each one would be a subquery of its own for every person.
    """
    julian_day = Func(
        F("session__conference__starts_on"), Value("J"), function="to_char", output_field=models.TextField()
    )
    age = Value(9_999_999) - Coalesce(Cast(julian_day, models.IntegerField()), 0)
    return Concat(
        _digits(age, 7),
        _digits(Coalesce(Cast("session__day__number", models.IntegerField()), 99_999), 5),
        _digits(F("session__position"), 5),
        _digits(F("position"), 5),
        output_field=models.TextField(),
    )


class SpeakerViewSet(events_api.ProgrammeViewSet[Person]):
    """Who speaks, in the order of the programme: newest conference first, then by their first place in it."""

    serializer_class = SpeakerSerializer
    filterset_class = SpeakerFilters
    expansions = {
        "contributions.organisation": events_api.whole_organisation("shown_contributions__organisation__"),
        "contributions.country": events_api.WHOLE_COUNTRY,
    }
    orderings = {"programme": (Key("first_place", "text"),), "name": (Key("display_name", "text"),)}

    def get_queryset(self) -> QuerySet[Person]:
        """Nobody who is hidden, and nobody of whom nothing is shown."""
        shown = shown_contributions(self.now).annotate(place=place_in_programme()).order_by("place", "pk")
        over_at = session_end("session__")
        printed = (
            shown.annotate(over_at=over_at)
            .select_related("session__conference", "organisation", "country", "segment")
            .prefetch_related("other_organisations")
        )
        return (
            Person.objects.visible()
            .annotate(first_place=Subquery(shown.filter(person=OuterRef("pk")).values("place")[:1]))
            .filter(first_place__isnull=False)
            .prefetch_related(Prefetch("contributions", printed, to_attr="shown_contributions"))
        )


# --- organisations --------------------------------------------------------------------------------------------------


class OrganisationViewSet(events_api.ProgrammeViewSet[Organisation]):
    """Bodies that convene, organise or speak at something public, what they are part of, and partners of the Alliance.

    Bodies that stand only in drafts are not among them.
    """

    serializer_class = events_api.OrganisationSerializer
    filterset_class = events_api.OrganisationFilters
    expansions = {"country": events_api.WHOLE_COUNTRY, "part_of": events_api.whole_organisation("part_of__")}
    orderings = {"key": (Key("key", "text"),)}

    def get_queryset(self) -> QuerySet[Organisation]:
        """Those that stand somewhere in public, and all they are part of: that is named with them."""
        conferences = Conference.objects.public()
        contributions = shown_contributions(self.now).under_their_own_name()
        in_public = (
            Q(is_alliance_partner=True)
            | events_api.named_by(Convenorship.objects.filter(session__in=Session.objects.public()))
            | Q(pk__in=conferences.values("organiser"))
            | Q(pk__in=conferences.values("chairmanship"))
            | Q(pk__in=contributions.values("organisation"))
            | Q(pk__in=contributions.values("other_organisations"))
        )
        named = set(Organisation.objects.filter(in_public).values_list("pk", flat=True))
        parts = dict(Organisation.objects.values_list("pk", "part_of"))
        wholes = named
        while wholes := {whole for part in wholes if (whole := parts[part]) is not None} - named:
            named |= wholes
        return Organisation.objects.filter(pk__in=named).select_related("country", "part_of")
