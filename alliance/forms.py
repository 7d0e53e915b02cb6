"""Form fields shared by the admin and the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from alliance import languages


class TranslatedWidget(forms.MultiWidget):
    """One labelled input per language."""

    template_name = "forms/translated_widget.html"
    group_label: str = ""

    def __init__(self, *, multiline: bool = False, attrs: dict[str, Any] | None = None) -> None:
        self.codes = languages.codes()
        kind = forms.Textarea if multiline else forms.TextInput
        super().__init__(
            {code: kind(attrs={"lang": code, "rows": 3} if multiline else {"lang": code}) for code in self.codes}, attrs
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs: the inputs with their languages, those without a text folded away."""
        context = super().get_context(name, value, attrs)
        names = dict(settings.LANGUAGES)
        inputs = [
            {"widget": widget, "code": code, "language": names[code]}
            for code, widget in zip(self.codes, context["widget"]["subwidgets"], strict=True)
        ]
        context["widget"] |= {
            "label": self.group_label,
            "first": inputs[0],
            "others": inputs[1:],
            "others_with_text": ", ".join(one["code"] for one in inputs[1:] if one["widget"]["value"]),
        }
        return context

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
        self.widget.group_label = self.label or ""

    def compress(self, data_list: list[str]) -> languages.Translations:
        """The mapping that is stored, without empty texts. Browsers end lines with CRLF, we with LF."""
        texts = zip(languages.codes(), data_list or [], strict=False)
        return languages.Translations({code: text.replace("\r\n", "\n") for code, text in texts if text})
