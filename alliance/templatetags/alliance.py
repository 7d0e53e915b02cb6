"""Template tags every page may use: texts in the best language, clocks, dates, the frame of a page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import nh3
from django import template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.template import Context
from django.utils.html import conditional_escape, escape, format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from alliance import dates, field_errors, json_ld, pages, time, zones
from alliance.admin import undo
from alliance.languages import Localised, Translations

register = template.Library()

_LOCALES = {"en": "en_GB", "fr": "fr_FR", "de": "de_DE", "it": "it_IT", "es": "es_ES", "ru": "ru_RU"}
_IN_ENGLISH = {"en": "English", "fr": "French", "de": "German", "it": "Italian", "es": "Spanish", "ru": "Russian"}
_FALLBACKS = "_fallback_languages"  # on the request: languages that stood in for the page's own

# Texts of organisers: paragraphs, lists, emphasis and links. No headings (the page makes those) and no HTML.
markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(
    ["heading", "lheading", "image", "code", "fence", "backticks", "hr", "html_block", "html_inline", "reference"]
)
_PROSE_TAGS = {"p", "ul", "ol", "li", "em", "strong", "a", "br", "blockquote"}


# --- texts in six languages ------------------------------------------------------------------------------------------


def _best(value: object) -> Localised:
    if isinstance(value, Translations):
        return value.best()
    return Localised("" if value is None else str(value), _page_language())


def _page_language() -> str:
    return (get_language() or "en").split("-")[0]


def _remember(context: Context, language: str) -> None:
    """Note on the request that a text is not in the page's language, for fallback_note at the end of the page."""
    request = getattr(context, "request", None) or context.get("request")
    if request is not None:
        if not hasattr(request, _FALLBACKS):
            setattr(request, _FALLBACKS, {})
        getattr(request, _FALLBACKS)[language] = True


def language_name(code: str) -> str:
    """The name of a language of the house in the active language; other codes stand for themselves."""
    return str(dict(settings.LANGUAGES).get(code, code))


@register.simple_tag(takes_context=True)
def localised(context: Context, value: object, mark: bool = True) -> SafeString:
    """A text in the best language for the reader. Another language than the page's is marked with lang=.

    mark: also show a discreet sign ("EN") with the language's name; without it the page's own note must do.
    """
    best = _best(value)
    if not best.text or best.language == _page_language():
        return conditional_escape(best.text)
    _remember(context, best.language)
    text = format_html('<span lang="{}">{}</span>', best.language, best.text)
    if not mark:
        return text
    # The space stands inside, where it is read aloud but a link's line under the text does not run on.
    return text + format_html(
        '<abbr class="lang-mark" title="{}"> {}</abbr>', language_name(best.language), best.language
    )


@register.simple_tag(takes_context=True)
def prose(context: Context, value: object) -> SafeString:
    """A longer text of an organiser: paragraphs, lists, emphasis and links; anything else is shown as it was typed."""
    best = _best(value)
    if not best.text:
        return SafeString("")
    html = nh3.clean(
        markdown.render(best.text),
        tags=_PROSE_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    safe = mark_safe(html)  # noqa: S308 - nh3 has just cleaned it
    if best.language == _page_language():
        return format_html('<div class="prose">{}</div>', safe)
    _remember(context, best.language)
    return format_html('<div class="prose" lang="{}">{}</div>', best.language, safe)


@register.simple_tag(takes_context=True)
def localised_lines(context: Context, value: object) -> SafeString:
    """A text with one item a line, as a list."""
    best = _best(value)
    lines = [line.strip() for line in best.text.splitlines() if line.strip()]
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    if not lines or best.language == _page_language():
        return format_html("<ul>{}</ul>", items)
    _remember(context, best.language)
    return format_html('<ul lang="{}">{}</ul>', best.language, items)


@register.inclusion_tag("components/_fallback_note.html", takes_context=True)
def fallback_note(context: Context) -> dict[str, Any]:
    """The honest note at the end of a page that some texts are in another language. Must come after the content."""
    request = getattr(context, "request", None) or context.get("request")
    found = getattr(request, _FALLBACKS, {})
    return {"languages": [(code, language_name(code)) for code in found]}


@register.filter
def language_names(values: object) -> str:
    """Languages, or one, as people read them: codes of the house by name, other names as they were entered."""
    names = dict(settings.LANGUAGES)
    codes = {english: code for code, english in _IN_ENGLISH.items()}
    found = []
    for value in map(str, values if isinstance(values, list | tuple) else [values] if values else []):
        code = codes.get(value, value)
        name = str(_(_IN_ENGLISH[code])) if code in names else value
        found.append(name if _page_language() in ("en", "de") else name.lower())
    return capfirst(", ".join(found))


# --- time and dates --------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/_clock.html", takes_context=True)
def clock(
    context: Context,
    starts_at: datetime | None,
    ends_at: datetime | None,
    zone: str,
    city: object = "",
    large: bool = False,
    is_over: bool = False,
) -> dict[str, Any]:
    """A span of time on two clocks: the venue's first, with its generated label, then the reader's own.

    is_over: what is past will not be announced any more; an unknown time then says so.
    zone: IANA name of the venue's clock. city: what names it; empty takes the zone's own city. The second clock is the
    zone chosen by ?tz= (context reader_zone), else UTC, which JavaScript replaces by the browser's own zone.
    """
    if starts_at is None:
        return {"starts_at": None, "large": large, "is_over": is_over}
    venue = ZoneInfo(zone)
    chosen: ZoneInfo | None = context.get("reader_zone")
    other = chosen or ZoneInfo("UTC")
    starts, second = starts_at.astimezone(venue), starts_at.astimezone(other)
    ends = ends_at.astimezone(venue) if ends_at else None
    second_ends = ends_at.astimezone(other) if ends_at else None
    is_same = chosen is not None and starts.utcoffset() == second.utcoffset()
    return {
        "starts_at": starts_at,
        "large": large,
        "starts": starts,
        "ends": ends,
        "text": dates.clock(starts),
        "text_ends": dates.clock(ends) if ends else "",
        "label": time.zone_label(starts_at, zone=zone, city=str(city) or zones.city(zone)),
        "own_text": f"{dates.clock(second)}–{dates.clock(second_ends)}" if second_ends else dates.clock(second),
        "own_label": time.zone_label(starts_at, zone=chosen.key, city=zones.city(chosen.key)) if chosen else "UTC",
        "own_day": dates.day(second.date(), with_year=False) if second.date() != starts.date() else "",
        "is_same": is_same,
        "is_chosen": chosen is not None,
        "zone": zone,
        "offset": int((starts.utcoffset() or timedelta()).total_seconds() // 60),
        "starts_iso": starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ends_iso": ends_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if ends_at else "",
    }


@register.filter
def day(value: date | None) -> str:
    """A date with its weekday and year in the active language."""
    return dates.day(value) if value else ""


@register.filter
def short_day(value: date | None) -> str:
    """A date with its weekday, without the year."""
    return dates.day(value, with_year=False) if value else ""


@register.filter
def plain_day(value: date | None) -> str:
    """A date with its year, without the weekday."""
    return dates.day(value, with_weekday=False) if value else ""


@register.simple_tag
def date_span(conference: Any) -> str:
    """The dates of a conference, no more exact than they are known."""
    return dates.span(conference.starts_on, conference.ends_on, precision=conference.date_precision)


@register.simple_tag(takes_context=True)
def edition_line(context: Context, conference: Any) -> SafeString:
    """Level and number of a conference in its series: "High-level · 21st conference"; no number that the title says."""
    parts = []
    if conference.level:
        level = Translations({code: text[:1].upper() + text[1:] for code, text in conference.level.items()})
        parts.append(localised(context, level, mark=False))
    if conference.edition and str(conference.edition) not in str(conference.title):
        parts.append(conditional_escape(_("%(ordinal)s conference") % {"ordinal": dates.ordinal(conference.edition)}))
    return format_html_join(" · ", "{}", ((part,) for part in parts))


@register.filter
def ordinal(value: int) -> str:
    """The number in a row: "21st", "21-я"."""
    return dates.ordinal(value)


# --- the programme --------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def convenor_names(context: Context, group: Any, linked: bool = False) -> SafeString:
    """The bodies of a relation in printed order, a body's own unit in brackets.

    linked: whether a name leads to the page of the body.
    """
    names = []
    for row in group.convenorships:
        name = localised(context, row.organisation.name, mark=False)
        if linked:
            name = format_html('<a href="{}{}">{}</a>', row.organisation.get_absolute_url(), zone_query(context), name)
        if row.with_unit is not None:
            name = format_html("{} ({})", name, localised(context, row.with_unit.name, mark=False))
        names.append(name)
    return format_html_join(", ", "{}", ((name,) for name in names))


@register.simple_tag(takes_context=True)
def speaker_name(context: Context, line: Any, linked: bool = True) -> SafeString:
    """Honorific, name and post-nominals, or the label of a seat without a name, with "(tbc)" and footnote marks.

    linked: whether the name leads to the person's page. One tag and not a template, because a programme has many lines.
    """
    contribution = line.contribution
    wording = contribution.wording
    parts: list[SafeString] = []
    if line.is_unnamed:
        label = localised(context, wording.unnamed_label, mark=False)
        parts.append(format_html('<span class="speaker-name">{}</span>', label))
    else:
        if wording.honorific:
            parts.append(conditional_escape(wording.honorific))
        if linked:
            url = contribution.person.get_absolute_url() + zone_query(context)
            name = format_html('<a class="speaker-name" href="{}">{}</a>', url, contribution.name)
        else:
            name = format_html('<span class="speaker-name">{}</span>', contribution.name)
        if contribution.is_under_pseudonym:
            note = _("Note: the name has been changed")
            name += format_html('<sup><a href="#names-changed" aria-label="{}">*</a></sup>', note)
        parts.append(name)
        if wording.post_nominals:
            parts.append(conditional_escape(wording.post_nominals))
    if contribution.is_to_be_confirmed:
        parts.append(format_html('<abbr class="tbc" title="{}">({})</abbr>', _("to be confirmed"), _("tbc")))
    if wording.delivery == "video":
        parts.append(format_html('<span class="soft">({})</span>', _("by video")))
    return format_html_join(" ", "{}", ((part,) for part in parts))


def _with_country(context: Context, parts: list[SafeString], line: Any) -> list[SafeString]:
    """Add the country with its footnote mark; the name is not repeated where the words before end with it."""
    country = localised(context, line.contribution.wording.country.name, mark=False)
    mark = SafeString("")
    if line.country_mark:
        note = _("Note on the country")
        mark = format_html('<sup><a href="#note-{0}" aria-label="{1}">{0}</a></sup>', line.country_mark, note)
    if parts and strip_tags(parts[-1]).casefold().endswith(strip_tags(country).casefold()):
        return [*parts[:-1], parts[-1] + mark]
    return [*parts, country + mark]


@register.simple_tag(takes_context=True)
def speaker_title(context: Context, line: Any) -> SafeString:
    """Title, organisations and country of a speaker line, as approved for this occasion."""
    contribution = line.contribution
    parts = [localised(context, line.role_title, mark=False)] if line.role_title else []
    organisation = contribution.organisation_printed()
    if organisation is not None:
        parts.append(localised(context, organisation.name, mark=False))
    if context.get("all_organisations"):
        parts += [
            localised(context, other.name, mark=False)
            for other in contribution.further_organisations()
            if not other.is_name_derived and not contribution.names_in_title(other)
        ]
    if contribution.wording.country is not None:
        parts = _with_country(context, parts, line)
    if not parts:
        return SafeString("")
    return format_html('<span class="speaker-title">{}</span>', format_html_join(", ", "{}", ((p,) for p in parts)))


@register.filter
def colon(label: object) -> str:
    """A label with the colon that follows it; French keeps a no-break space before one."""
    return f"{label}\u00a0:" if _page_language() == "fr" else f"{label}:"


@register.filter
def problems(form: BaseForm) -> list[tuple[str, str]]:
    """What the error summary lists: where each link leads (empty: nowhere), and its words."""
    return field_errors.summary(form)


# --- the frame of a page ---------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def language_links(context: Context) -> list[pages.LanguageLink]:
    """The same page in the six languages; empty where the address has no language and the view gave no links."""
    if "language_links" in context:
        given: list[pages.LanguageLink] = context["language_links"]
        return given
    request = getattr(context, "request", None) or context.get("request")
    return pages.language_links(request) if request is not None else []


@register.inclusion_tag("components/_meta.html", takes_context=True)
def page_meta(context: Context, title: object, description: object = "", prefix: object = "") -> dict[str, Any]:
    """Canonical address, the same page in the other languages, and the basics of link previews.

    title, description: what the page is about, in the best language. prefix: what kind of page it is ("Programme").
    """
    request = getattr(context, "request", None) or context["request"]
    links = pages.language_links(request, query="")
    crumbs = context.get("crumbs") or []
    # A page about the same as the one above it (the programme of a conference) is called by what kind of page it is.
    name = prefix if prefix and crumbs and str(title) == crumbs[-1][0] else title
    way = json_ld.breadcrumbs(crumbs, name=str(name), path=request.path)
    alternates = [(link.code, settings.SITE_URL + link.url) for link in links]
    return {
        "title": f"{colon(prefix)} {title}" if prefix else str(title),
        "description": str(description)[:300],
        "canonical": settings.SITE_URL + request.path,
        "alternates": alternates + [("x-default", url) for code, url in alternates if code == "en"],
        "locale": _LOCALES.get(_page_language(), "en_GB"),
        "site_name": _("Alliance conferences"),
        "breadcrumbs": json_ld.script(way) if way else "",
    }


@register.simple_tag(takes_context=True)
def zone_query(context: Context, also: dict[str, str] | None = None, **more: str) -> SafeString:
    """What to append to a link so that a clock chosen by ?tz= stays chosen; nothing is remembered anywhere else.

    also, more: further parts of the query, before and after the clock; empty ones are left out.
    """
    chosen: ZoneInfo | None = context.get("reader_zone")
    query = (
        (also or {}) | ({"tz": chosen.key} if chosen else {}) | {name: value for name, value in more.items() if value}
    )
    return SafeString(escape("?" + urlencode(query))) if query else SafeString("")


@register.filter
def places_low(places: Any) -> int:
    """Up to how many taken places the meter is at ease: nine in ten."""
    return int(places.capacity * 9 // 10)


@register.filter
def places_high(places: Any) -> int:
    """From how many taken places on the meter is full: one below, as browsers take the limit itself for fine."""
    return max(int(places.capacity) - 1, 0)


@register.filter
def undo_token(message: Message) -> str:
    """What takes back the act that a message speaks of; empty where nothing can be taken back."""
    return undo.token_of(message.extra_tags or "")
