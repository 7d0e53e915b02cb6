"""Addresses and keys of new rows: made from the English title where the form leaves them empty."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseForm

_NAMES = ("slug", "key")
_HELP = {
    "slug": _("The end of the page’s address. Left empty, it is made from the English title."),
    "key": _("Names it in programme files. Left empty, it is made from the English title."),
}


class NamedByTitle(HouseForm[Any]):
    """The form of a row with an address, a key, or both, unique as the model says. What is there stays as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            for name in _NAMES:
                if name in self.fields:
                    self.fields[name].required = False
                    self.fields[name].help_text = self.fields[name].help_text or _HELP[name]

    def clean(self) -> dict[str, Any] | None:
        """Make up what is missing."""
        super().clean()
        title = self.cleaned_data.get("title")
        if self.instance.pk is None and title:
            for name in _NAMES:
                if name in self.fields and not self.cleaned_data.get(name) and name not in self.errors:
                    self.cleaned_data[name] = self._free(name, slugify(title.get("en", "")))
        return self.cleaned_data

    def _free(self, name: str, wanted: str) -> str:
        model = self._meta.model
        longest = model._meta.get_field(name).max_length
        base = (wanted or model._meta.model_name or "page")[: longest - 5].strip("-")
        rows = model._default_manager.filter(Q(**{name: base}) | Q(**{f"{name}__startswith": f"{base}-"}))
        if "conference" in self.cleaned_data:
            rows = rows.filter(conference=self.cleaned_data["conference"])
        taken = set(rows.values_list(name, flat=True))
        return next(one for one in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
