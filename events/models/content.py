"""The version of everything public: what caches are keyed by."""

from django.db import models


class ContentVersion(models.Model):
    """One row whose number rises in the transaction that changes anything a programme page shows.

    Database triggers raise it (migration events.0002), so no path can forget: admin, import, service or raw SQL.
    Pages and feeds are cached under the number; who must disappear disappears from every cache with the commit.
    """

    number = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="content_version_is_one_row", condition=models.Q(pk=1))]

    def __str__(self) -> str:
        return f"version {self.number}"
