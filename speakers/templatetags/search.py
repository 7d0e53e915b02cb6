"""Tags of the search page: texts and names with their hits marked."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString

from alliance.languages import Translations
from alliance.templatetags import alliance
from speakers import folding

register = template.Library()


def _marked(text: str, query: str) -> SafeString:
    """The text with what fits the query in <mark>."""
    html, last = SafeString(""), 0
    for start, end in folding.hits(text, query):
        html += conditional_escape(text[last:start]) + format_html("<mark>{}</mark>", text[start:end])
        last = end
    return html + conditional_escape(text[last:])


@register.simple_tag(takes_context=True)
def found(context: Context, value: Translations, query: str, mark: bool = True) -> SafeString:
    """A text in the best language for the reader, as the tag localised prints it, with the hits marked."""
    best = value.best()
    return alliance.localised(context, Translations({best.language: _marked(best.text, query)}), mark=mark)


@register.simple_tag(takes_context=True)
def found_name(context: Context, line: Any, query: str) -> SafeString:
    """The name of a speaker line, linked and with the hits marked."""
    html = alliance.speaker_name(context, line, True)
    name = line.contribution.name
    return SafeString(html.replace(f">{escape(name)}<", f">{_marked(name, query)}<", 1))


@register.simple_tag(takes_context=True)
def snippet(context: Context, session: Any, query: str) -> SafeString:
    """Where the words stand in the texts of a session whose title does not have them; empty without a hit."""
    if folding.hits(str(session.title), query):
        return SafeString("")
    texts = [session.summary, *(section.text for section in session.text_sections.all())]
    for text in texts:
        best = text.best()
        for language in dict.fromkeys([best.language, *text]):
            piece = folding.excerpt(text.get(language, ""), query)
            if piece:
                value = Translations({language: _marked(piece, query)})
                return format_html('<span class="snippet">{}</span>', alliance.localised(context, value, mark=False))
    return SafeString("")
