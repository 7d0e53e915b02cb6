"""Releases of the programme for programs: what each one changed, in words, as the page of changes has it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import translation
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance.api.fields import IdField, InstantField, TextField
from alliance.api.filters import Filters, Instant, Number, SlugOrId
from alliance.api.paging import Key
from events.api.base import ProgrammeViewSet
from events.api.conferences import ConferenceRefSerializer, whole_conference
from events.api.sessions import SessionRefSerializer
from events.models import Conference, Release
from events.releases import wording


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """A published, numbered state of the programme of a conference."""

    id = IdField()
    conference = ConferenceRefSerializer(read_only=True)
    number = serializers.IntegerField(read_only=True, help_text="From 1. The highest one is what everybody reads.")
    published_at = InstantField(source="made_at", zone="conference.zone")
    note = TextField(allow_null=True)

    class Meta:
        model = Release
        fields = ["id", "conference", "number", "published_at", "note"]
        ref_name = "Release"


class ChangeSerializer(serializers.Serializer[Any]):
    """What has changed about a session, or about the conference itself."""

    session = SessionRefSerializer(read_only=True, allow_null=True, help_text="Null where there is no page for it.")
    title = TextField(allow_null=True, help_text="Of the session, or what it was called; null: the conference itself.")
    sentences = serializers.ListField(
        source="lines", child=serializers.CharField(), read_only=True, help_text="In the language asked for by ?lang=."
    )

    class Meta:
        ref_name = "Change"


class WholeReleaseSerializer(ReleaseSerializer):
    """A release with what it changed since the one before. The first release changed nothing."""

    changes = serializers.SerializerMethodField()

    class Meta(ReleaseSerializer.Meta):
        fields = [*ReleaseSerializer.Meta.fields, "changes"]
        ref_name = "WholeRelease"

    @extend_schema_field(ChangeSerializer(many=True))
    def get_changes(self, release: Release) -> Any:
        """What strangers may know of it today."""
        with translation.override(self.context["language"]):
            (found,) = wording.change_lists(release.conference, [release])
        return ChangeSerializer(found.groups, many=True, context=self.context).data


class ReleaseFilters(Filters):
    """Filters of the list of releases."""

    conference = SlugOrId("Id or slug of the conference.", field_name="conference")
    edition = Number("Number of the conference in its series.", field_name="conference__edition")
    published_after = Instant("Published at this instant or later.", field_name="made_at", lookup_expr="gte")
    published_before = Instant("Published before this instant.", field_name="made_at", lookup_expr="lt")


class ReleaseViewSet(ProgrammeViewSet[Release]):
    """Releases, newest first. One by its id has the list of its changes."""

    serializer_class = ReleaseSerializer
    filterset_class = ReleaseFilters
    expansions = {"conference": whole_conference("conference__")}
    orderings = {
        "-published_at": (Key("made_at", "instant", descending=True),),
        "published_at": (Key("made_at", "instant"),),
    }

    def get_serializer_class(self) -> type[ReleaseSerializer]:
        """With its changes when it is asked for by itself: the words of many releases would be many queries."""
        return WholeReleaseSerializer if self.action == "retrieve" else ReleaseSerializer

    def get_queryset(self) -> QuerySet[Release]:
        """Of conferences that strangers may see."""
        return Release.objects.filter(conference__in=Conference.objects.public()).select_related("conference")
