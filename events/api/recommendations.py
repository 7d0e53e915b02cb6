"""Results of all conferences for programs, one by one: searched and filtered across editions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance import languages
from alliance.api.fields import CodeField, IdField, PageField, TextField
from alliance.api.filters import Choice, Filters, Id, Number, SlugOrId, Words
from alliance.api.paging import Key
from events import results, results_search
from events.api.base import ProgrammeViewSet
from events.api.conferences import ConferenceRefSerializer, whole_conference
from events.api.results import NoteField, TopicSerializer, with_topics
from events.api.sessions import SessionRefSerializer
from events.models import Recommendation, TakeawayKind
from events.models.papers import PLACES, RecommendationQuerySet


class ResultPageField(PageField):
    """Where a result stands on the page of its session."""

    def to_representation(self, value: Any) -> str:
        """The page of the session, and the place on it."""
        return f"{super().to_representation(value.session)}#result-{value.public_id}"


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    """A result of a session by itself, by nobody's name. Print the note with it."""

    id = IdField()
    conference = ConferenceRefSerializer(source="session.conference", read_only=True)
    session = SessionRefSerializer(read_only=True)
    kind = CodeField(TakeawayKind)
    # The name of a member, not the label of this field.
    label = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="As printed, with the marks of those it stands below: 6 a."
    )
    below = serializers.UUIDField(
        source="parent.public_id", read_only=True, allow_null=True, default=None, help_text="The one it stands below."
    )
    text = TextField()
    addressee = TextField(allow_null=True, help_text="Whom it is for.")
    topics = serializers.SerializerMethodField()
    note = NoteField(source="session.conference", help_text="Whose words these are; to be printed wherever they are.")
    page = ResultPageField(help_text="Where it stands on the page of its session.")

    class Meta:
        model = Recommendation
        fields = [
            "id",
            "conference",
            "session",
            "kind",
            "label",
            "below",
            "text",
            "addressee",
            "topics",
            "note",
            "page",
        ]
        ref_name = "Recommendation"

    @extend_schema_field(serializers.CharField())
    def get_label(self, row: Recommendation) -> str:
        """Its marks."""
        return results.path(row)

    @extend_schema_field(TopicSerializer(many=True))
    def get_topics(self, row: Recommendation) -> Any:
        """Its topics, in the order they were given."""
        topics = self.context["topics"] if row.topics else {}
        return TopicSerializer(
            [topics[key] for key in row.topics if key in topics], many=True, context=self.context
        ).data


class RecommendationFilters(Filters):
    """Filters of the list of results."""

    conference = SlugOrId("Id or slug of the conference.", field_name="session__conference")
    edition = Number("Number of the conference in its series.", field_name="session__conference__edition")
    session = Id("Id of the session.", field_name="session")
    kind = Choice("Challenge, practice, observation or recommendation.", TakeawayKind.values, field_name="kind")
    tag = Words("Key of a topic.", method="by_tag")
    addressee = Words("Whom it is for, as addressee writes it in some language.", method="by_addressee")
    language = Choice("A language the text exists in.", languages.codes(), method="by_language")
    search = Words("Words in text, addressee or title of the session, in whatever language.", method="by_words")

    def by_tag(self, rows: RecommendationQuerySet, name: str, value: str) -> RecommendationQuerySet:
        """Those that carry the topic."""
        return rows.filter(topics__contains=[value])

    def by_addressee(self, rows: RecommendationQuerySet, name: str, value: str) -> RecommendationQuerySet:
        """Those addressed so."""
        return results_search.addressed_to(rows, value)

    def by_language(self, rows: RecommendationQuerySet, name: str, value: str) -> RecommendationQuerySet:
        """Those written in it."""
        return rows.filter(text__has_key=value)

    def by_words(self, rows: RecommendationQuerySet, name: str, value: str) -> RecommendationQuerySet:
        """Those with all words."""
        return results_search.with_all_words(rows, value)


class RecommendationViewSet(ProgrammeViewSet[Recommendation]):
    """Results of public sessions that are over: newest conference first, then as printed."""

    serializer_class = RecommendationSerializer
    filterset_class = RecommendationFilters
    expansions = {"conference": whole_conference("session__conference__")}
    orderings = {
        "programme": (
            Key("session__conference__starts_on", "date", descending=True),
            Key("session__conference__public_id", "id"),
            Key("session__day__number", "number"),
            Key("session__position", "number"),
            Key("session__public_id", "id"),
            *(Key(place, "number") for place in PLACES),
        )
    }

    def get_queryset(self) -> QuerySet[Recommendation]:
        """What strangers may see at this instant."""
        return (
            Recommendation.objects.public(self.now)
            .with_places()
            .select_related("session__conference", "parent__parent")
        )

    def get_serializer_context(self) -> dict[str, Any]:
        """Serializers know the topics."""
        return with_topics(super().get_serializer_context())
