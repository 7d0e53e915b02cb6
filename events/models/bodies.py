"""Countries, organisations, venues and rooms: shared by all conferences."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField


class CountryStatus(models.TextChoices):
    """Standing in the organisation: it drives audience rules, seating and figures."""

    PARTICIPATING_STATE = "participating_state", _("Participating State")
    ASIAN_PARTNER = "asian_partner", _("Asian Partner for Co-operation")
    MEDITERRANEAN_PARTNER = "mediterranean_partner", _("Mediterranean Partner for Co-operation")
    OTHER = "other", _("Other country")


class CountryQuerySet(models.QuerySet["Country"]):
    """Countries."""

    def in_protocol_order(self) -> Self:
        """The order in which the organisation prints its States: by the protocol number, not by the alphabet."""
        return self.order_by("protocol_order", "pk")

    def states_and_partners(self) -> Self:
        """The participating States and the Partners for Co-operation, not other countries."""
        return self.exclude(status=CountryStatus.OTHER)


class Country(models.Model):
    """A country with its standing in the organisation. Names are those the organisation prints."""

    public_id = PublicIdField()
    iso2 = models.CharField(_("ISO code"), max_length=2, unique=True)
    name = TranslatedField(_("name"), blank=False)
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True, verbose_name=_("other names"))
    status = models.CharField(_("status"), max_length=24, choices=CountryStatus, default=CountryStatus.OTHER)
    protocol_order = models.PositiveSmallIntegerField(_("protocol order"), default=1000)
    footnote = TranslatedField(_("footnote"), help_text=_("Printed wherever the name is printed."))

    objects: ClassVar[CountryQuerySet] = CountryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")
        constraints = [
            models.CheckConstraint(name="country_status_is_known", condition=Q(status__in=CountryStatus.values)),
            models.CheckConstraint(name="country_iso2_is_two_capitals", condition=Q(iso2__regex=r"^[A-Z]{2}$")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.iso2})"


class OrganisationKind(models.TextChoices):
    """Kinds of bodies, fine enough for every report category."""

    OSCE = "osce", _("OSCE")
    OSCE_EXECUTIVE_STRUCTURE = "osce_executive_structure", _("OSCE executive structure")
    OSCE_BODY = "osce_body", _("OSCE body")
    OSCE_FIELD_OPERATION = "osce_field_operation", _("OSCE field operation")
    INTERNATIONAL_ORGANIZATION = "international_organization", _("International organisation")
    MANDATE_HOLDER = "mandate_holder", _("Mandate holder or office")
    STATE_INSTITUTION = "state_institution", _("State institution")
    EMBASSY = "embassy", _("Embassy or mission")
    PARLIAMENTARY_BODY = "parliamentary_body", _("Parliamentary body")
    MUNICIPALITY = "municipality", _("Municipality")
    NGO = "ngo", _("Non-governmental organisation")
    RELIGIOUS_ORGANISATION = "religious_organisation", _("Religious organisation")
    ACADEMIA = "academia", _("Academia")
    THINK_TANK = "think_tank", _("Think tank")
    BUSINESS = "business", _("Business")
    TRADE_UNION = "trade_union", _("Trade union")
    PROFESSIONAL_ASSOCIATION = "professional_association", _("Professional association")
    MEDIA = "media", _("Media")
    DONOR = "donor", _("Donor")
    INITIATIVE = "initiative", _("Initiative")
    OTHER = "other", _("Other")


class Organisation(models.Model):
    """A body: an institution, an office, a unit of another body, an NGO."""

    public_id = PublicIdField()
    key = models.SlugField(_("key"), max_length=80, unique=True, help_text=_("Stable name in programme files."))
    part_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="parts", null=True, blank=True, verbose_name=_("part of")
    )
    country = models.ForeignKey(
        Country,
        on_delete=models.PROTECT,
        related_name="organisations",
        null=True,
        blank=True,
        verbose_name=_("country"),
        help_text=_("Empty for bodies of no country, such as international organisations."),
    )
    name = TranslatedField(_("name"), blank=False)
    abbreviation = models.CharField(_("abbreviation"), max_length=40, blank=True)
    kind = models.CharField(_("kind"), max_length=32, choices=OrganisationKind, default=OrganisationKind.OTHER)
    aliases = ArrayField(models.CharField(max_length=250), default=list, blank=True, verbose_name=_("other spellings"))
    alias_sources = models.JSONField(
        _("where other spellings stand"), default=dict, blank=True, help_text=_("The document, by spelling.")
    )
    is_alliance_partner = models.BooleanField(_("partner of the Alliance"), default=False)
    is_name_derived = models.BooleanField(
        _("name made by us"), default=False, help_text=_("The source names only a unit or an office.")
    )
    web = models.URLField(_("web site"), blank=True)
    contact = models.JSONField(_("contact block"), default=dict, blank=True)
    internal_note = models.TextField(_("internal note"), blank=True, help_text=_("Never shown outside the admin."))

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(name="organisation_kind_is_known", condition=Q(kind__in=OrganisationKind.values)),
            models.CheckConstraint(
                name="organisation_is_not_part_of_itself", condition=Q(part_of__isnull=True) | ~Q(part_of=F("pk"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def get_absolute_url(self) -> str:
        """The public page in the active language. It is there only while something of the body is public."""
        return reverse("speakers:organisation", args=[self.public_id])

    @property
    def short_name(self) -> str:
        """The abbreviation, or the name where there is none."""
        return self.abbreviation or str(self.name)


class Venue(models.Model):
    """A place where people meet. The name may be unknown; the city is not."""

    name = TranslatedField(_("name"))
    address = models.CharField(_("address"), max_length=250, blank=True)
    city = TranslatedField(_("city"), blank=False)
    country = models.ForeignKey(
        Country, on_delete=models.PROTECT, related_name="venues", null=True, blank=True, verbose_name=_("country")
    )
    footnote = TranslatedField(_("footnote"), help_text=_("Printed wherever the place is named."))

    class Meta:
        verbose_name = _("venue")
        verbose_name_plural = _("venues")

    def __str__(self) -> str:
        return f"{self.name or self.city} (#{self.pk})"


class Room(models.Model):
    """A room of a venue. One session at a time (constraint session_room_is_free)."""

    public_id = PublicIdField()
    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="rooms", verbose_name=_("venue"))
    name = TranslatedField(_("name"), blank=False)
    capacity = models.PositiveIntegerField(_("seats"), null=True, blank=True)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return f"{self.name} (#{self.pk})"
