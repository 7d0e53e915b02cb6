"""Seats of an admission that are kept for some categories until they return to everybody."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from registration.models.admission import Admission, Category


class ReserveQuerySet(models.QuerySet["Reserve"]):
    """Reserves."""

    def holding(self) -> Self:
        """Those that still hold seats back, in the order in which their seats are given."""
        return self.filter(released_at__isnull=True).order_by("pk")


class Reserve(models.Model):
    """Places of an admission for some categories: whoever is in one of them takes these first.

    taken counts the seats that came from the reserve; triggers (migration registration.0014) keep it and refuse a rise
    above places, from whatever path. Shrinking a reserve below taken is legal and takes nobody's seat. Until it is
    released it holds places - taken of the admission's capacity back from everybody else (Places.held).
    """

    public_id = PublicIdField()
    admission = models.ForeignKey(
        Admission, on_delete=models.CASCADE, related_name="reserves", verbose_name=_("admission")
    )
    categories = ArrayField(models.CharField(max_length=32, choices=Category), verbose_name=_("categories"))
    places = models.PositiveIntegerField(_("places"))
    taken = models.PositiveIntegerField(_("taken"), default=0, editable=False)
    returns_at = models.DateTimeField(
        _("returns at"),
        null=True,
        blank=True,
        help_text=_("From then on everybody may have what is left. Empty: never."),
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True, editable=False)

    objects: ClassVar[ReserveQuerySet] = ReserveQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("reserve")
        verbose_name_plural = _("reserves")
        constraints = [
            models.CheckConstraint(name="reserve_has_places", condition=Q(places__gt=0)),
            models.CheckConstraint(name="reserve_is_for_somebody", condition=Q(categories__len__gt=0)),
            models.CheckConstraint(
                name="reserve_categories_are_known", condition=Q(categories__contained_by=Category.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken} of {self.places} (#{self.pk})"

    @property
    def left(self) -> int:
        """Seats of the reserve that nobody has yet; 0 once it is released."""
        return 0 if self.released_at is not None else max(self.places - self.taken, 0)

    @property
    def whom(self) -> str:
        """The categories in words, in the active language."""
        return ", ".join(str(Category(category).label) for category in self.categories)
