"""Papers, videos and links for programs, one by one: of conferences and of their sessions."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from alliance.api.filters import Choice, Filters, Id, Language, Number, Search, SlugOrId
from alliance.api.paging import Key
from events.api import results as shapes
from events.api.base import ProgrammeViewSet
from events.api.conferences import ConferenceRefSerializer, whole_conference
from events.api.sessions import SessionRefSerializer
from events.models import Conference, Material, MaterialKind, Session
from events.models.papers import MaterialQuerySet


class OwnMaterialSerializer(shapes.MaterialSerializer):
    """A paper, video or link, and what it belongs to."""

    conference = ConferenceRefSerializer(read_only=True)
    session = SessionRefSerializer(read_only=True, allow_null=True, help_text="Null: of the conference as a whole.")

    class Meta(shapes.MaterialSerializer.Meta):
        fields = [*shapes.MaterialSerializer.Meta.fields, "conference", "session"]
        ref_name = "OwnMaterial"


class MaterialFilters(Filters):
    """Filters of the list of materials."""

    conference = SlugOrId("Id or slug of the conference.", field_name="conference")
    edition = Number("Number of the conference in its series.", field_name="conference__edition")
    session = Id("Id of the session.", field_name="session")
    kind = Choice("Kind of material.", MaterialKind.values, field_name="kind")
    language = Language("The language of what stands there.", method="by_language")
    search = Search("Words in title or publisher.", texts=["title"], names=["publisher"])

    def by_language(self, rows: MaterialQuerySet, name: str, value: str) -> MaterialQuerySet:
        """Those written or spoken in it."""
        return rows.filter(language=value)


class MaterialViewSet(ProgrammeViewSet[Material]):
    """Materials that may be shown now: newest conference first, its sessions as printed, then the conference's own."""

    serializer_class = OwnMaterialSerializer
    filterset_class = MaterialFilters
    expansions = {"conference": whole_conference("conference__")}
    orderings = {
        "programme": (
            Key("conference__starts_on", "date", descending=True),
            Key("conference__public_id", "id"),
            Key("session__day__number", "number"),
            Key("session__position", "number"),
            Key("position", "number"),
        )
    }

    def get_queryset(self) -> QuerySet[Material]:
        """Of conferences and sessions that strangers may see."""
        shown = Q(session__isnull=True) | Q(session__in=Session.objects.public())
        return (
            Material.objects.visible_at(self.now)
            .filter(shown, conference__in=Conference.objects.public())
            .select_related("conference", "session__conference")
        )
