"""Shapes of what came out of sessions: results in items, the note below them, materials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject
from drf_spectacular.helpers import lazy_serializer
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance.api.fields import AddressField, CodeField, IdField, TextField, WrittenField
from events import results
from events.models import Material, MaterialKind, TakeawayKind, Topic


class MaterialSerializer(serializers.ModelSerializer[Material]):
    """A paper, video or link, once it may be shown."""

    id = IdField()
    kind = CodeField(MaterialKind)
    title = TextField(allow_null=True)
    address = AddressField(source="url")
    language = WrittenField(help_text="Of what stands there; not of the title.")
    publisher = WrittenField()
    place = WrittenField()
    year = serializers.IntegerField(read_only=True, allow_null=True)
    published_on = serializers.DateField(read_only=True, allow_null=True)

    class Meta:
        model = Material
        fields = ["id", "kind", "title", "address", "language", "publisher", "place", "year", "published_on"]
        ref_name = "Material"


def shown_materials(now: datetime) -> QuerySet[Material]:
    """Those that strangers may see at the instant, in order."""
    return Material.objects.visible_at(now).order_by("position", "pk")


class TopicSerializer(serializers.ModelSerializer[Topic]):
    """A subject that results are tagged with."""

    key = serializers.CharField(read_only=True, help_text="For ?tag=.")
    name = TextField()

    class Meta:
        model = Topic
        fields = ["key", "name"]
        ref_name = "Topic"


class NoteField(TextField):
    """The note that belongs to results of a conference. source: the conference."""

    def to_representation(self, value: Any) -> dict[str, object] | None:
        """The text of the note."""
        return super().to_representation(results.disclaimer(value))


class ItemSerializer(serializers.Serializer[Any]):
    """A result of a session as it is printed, with the items below it."""

    id = IdField(source="row.public_id")
    kind = CodeField(TakeawayKind, source="row.kind")
    # The name of a member, not the label of this field.
    label = serializers.CharField(  # type: ignore[assignment]
        read_only=True, help_text="As printed: 6, and below it a."
    )
    text = TextField(source="row.text")
    addressee = TextField(source="row.addressee", allow_null=True, help_text="Whom it is for.")
    topics = TopicSerializer(many=True, read_only=True)
    items = serializers.SerializerMethodField(help_text="Items below this one, in order.")

    class Meta:
        ref_name = "Result"

    @extend_schema_field(lazy_serializer("events.api.results.ItemSerializer")(many=True))
    def get_items(self, item: results.Item) -> Any:
        """The same, below."""
        return ItemSerializer(item.items, many=True, context=self.context).data


class ResultsSerializer(serializers.Serializer[Any]):
    """What came out of a session, by nobody's name. Print the note with it."""

    note = NoteField(source="conference", help_text="Whose words these are; to be printed wherever they are.")
    items = ItemSerializer(many=True, read_only=True)

    class Meta:
        ref_name = "Results"


def with_topics(context: dict[str, Any]) -> dict[str, Any]:
    """The context of serializers with all topics by key; read when the first result asks for them."""
    return {**context, "topics": SimpleLazyObject(lambda: {topic.key: topic for topic in Topic.objects.all()})}
