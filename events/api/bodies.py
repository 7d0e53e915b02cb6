"""Countries and organisations for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from alliance.api.fields import AddressField, CodeField, IdField, TextField, WrittenField
from alliance.api.filters import Choice, CountryCode, Filters, Flag, Search, SlugOrId, by_slug_or_id
from alliance.api.paging import Key
from alliance.api.shape import Expansion
from events.api.base import ProgrammeViewSet
from events.models import Convenorship, Country, CountryStatus, Organisation, OrganisationKind, Session


class CountryRefSerializer(serializers.ModelSerializer[Country]):
    """A country by name."""

    id = IdField()
    code = serializers.CharField(source="iso2", read_only=True, help_text="ISO 3166, two letters.")
    name = TextField()

    class Meta:
        model = Country
        fields = ["id", "code", "name"]
        ref_name = "CountryRef"


class CountrySerializer(CountryRefSerializer):
    """A country with its standing in the organisation."""

    status = CodeField(CountryStatus)
    footnote = TextField(allow_null=True, help_text="To be printed wherever the name is printed.")

    class Meta(CountryRefSerializer.Meta):
        fields = [*CountryRefSerializer.Meta.fields, "status", "footnote"]
        ref_name = "Country"


WHOLE_COUNTRY = Expansion(CountrySerializer)


class OrganisationRefSerializer(serializers.ModelSerializer[Organisation]):
    """An organisation by name."""

    id = IdField()
    name = TextField()
    abbreviation = WrittenField()

    class Meta:
        model = Organisation
        fields = ["id", "name", "abbreviation"]
        ref_name = "OrganisationRef"


class OrganisationSerializer(OrganisationRefSerializer):
    """A body that convenes, organises or speaks at something public, or a partner of the Alliance."""

    kind = CodeField(OrganisationKind)
    country = CountryRefSerializer(read_only=True, allow_null=True)
    part_of = OrganisationRefSerializer(read_only=True, allow_null=True)
    is_alliance_partner = serializers.BooleanField(read_only=True)
    web = AddressField()

    class Meta(OrganisationRefSerializer.Meta):
        fields = [
            *OrganisationRefSerializer.Meta.fields,
            "kind",
            "country",
            "part_of",
            "is_alliance_partner",
            "web",
        ]
        ref_name = "Organisation"


def whole_organisation(prefix: str) -> Expansion:
    """An organisation whole. prefix: the path that leads to it."""
    return Expansion(OrganisationSerializer, lambda now: [f"{prefix}country", f"{prefix}part_of"])


class CountryFilters(Filters):
    """Filters of the list of countries."""

    code = CountryCode("Two letters of ISO 3166.", field_name="iso2")
    status = Choice("Standing in the organisation.", CountryStatus.values, field_name="status")
    search = Search("Words in the name.", texts=["name"])


class CountryViewSet(ProgrammeViewSet[Country]):
    """Countries and their standing in the organisation, in the order in which it prints them."""

    serializer_class = CountrySerializer
    filterset_class = CountryFilters
    orderings = {
        "protocol": (Key("protocol_order", "number"), Key("iso2", "text")),
        "code": (Key("iso2", "text"),),
    }

    def get_queryset(self) -> QuerySet[Country]:
        """All."""
        return Country.objects.all()


class OrganisationFilters(Filters):
    """Filters of the list of organisations."""

    kind = Choice("Kind of body.", OrganisationKind.values, field_name="kind")
    country = CountryCode("Country of the body.", field_name="country__iso2")
    convenes = SlugOrId("Id or slug of a conference at which it convenes something.", method="by_conference")
    is_alliance_partner = Flag("Partner of the Alliance.", field_name="is_alliance_partner")
    search = Search("Words in name or abbreviation.", texts=["name"], names=["abbreviation"])

    def by_conference(self, organisations: QuerySet[Organisation], name: str, value: Any) -> QuerySet[Organisation]:
        """Bodies that convene a public session of the conference."""
        sessions = Session.objects.public().filter(**by_slug_or_id(value, "conference__"))
        return organisations.filter(named_by(Convenorship.objects.filter(session__in=sessions)))


def named_by(convenorships: QuerySet[Convenorship]) -> Q:
    """Organisations that stand in the rows, themselves or as the unit named with another one."""
    return Q(pk__in=convenorships.values("organisation")) | Q(pk__in=convenorships.values("with_unit"))
