"""Form fields shared by the admin and the pages."""

from __future__ import annotations

from typing import Any

from django import forms

from alliance import languages


class TranslatedWidget(forms.MultiWidget):
    """One labelled input per language."""

    template_name = "forms/translated_widget.html"

    def __init__(self, *, multiline: bool = False, attrs: dict[str, Any] | None = None) -> None:
        self.codes = languages.codes()
        kind = forms.Textarea if multiline else forms.TextInput
        super().__init__(
            {code: kind(attrs={"lang": code, "rows": 3} if multiline else {"lang": code}) for code in self.codes}, attrs
        )

    def decompress(self, value: Any) -> list[str]:
        """One text per language, in the fixed order."""
        value = value or {}
        return [value.get(code, "") for code in self.codes]


class TranslatedFormField(forms.MultiValueField):
    """Texts in six languages; required means: in at least one."""

    def __init__(self, *, required: bool, multiline: bool = False, **kwargs: Any) -> None:
        fields = [forms.CharField(required=False) for _code in languages.codes()]
        super().__init__(
            fields,
            required=required,
            require_all_fields=False,
            widget=TranslatedWidget(multiline=multiline),
            **kwargs,
        )

    def compress(self, data_list: list[str]) -> languages.Translations:
        """The mapping that is stored; languages without a text are left out."""
        return languages.Translations(
            {code: text for code, text in zip(languages.codes(), data_list or [], strict=False) if text}
        )
