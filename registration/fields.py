"""Form fields for what people tell about themselves: every script is welcome, invisible tricks are not."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Joins letters in Persian, Urdu and the scripts of India; elsewhere it only hides.
_JOINERS = "\u200c\u200d"
_FIRST_JOINED_LETTER = 0x0590
_REFUSED_KINDS = {
    "Cc",  # controls, CR and LF among them
    "Cf",  # zero width, soft hyphen, changes of direction, tags
    "Cs",  # halves of letters
    "Co",  # private letters
    "Cn",  # no letters at all
    "Zl",
    "Zp",
}
_BROKEN = "\N{REPLACEMENT CHARACTER}"
_WEB_ADDRESS = re.compile(
    r"://|\bwww\.|[<>]|\b[\w-]{2,}\.(?:com|net|org|info|biz|xyz|top|site|online|shop|click|link|io|ru|cn)\b",
    re.IGNORECASE,
)
# "Win money evil.de": three letters or more, a dot, and at once two or more letters that end there. Which of them are
# web addresses is decided in _names_a_host.
_HOST = re.compile(r"(?<![^\W_])([^\W_](?:[^\W_]|-){2,})\.([^\W\d_]{2,})(?![^\W_])")
# Titles that people write without a blank: "Prof.dr. Bakker", "Dott.ssa Rossi", "Sig.ra Bianchi", "Dipl.ing. Weber".
_TITLES = frozenset({"prof", "dott", "dipl", "sig", "mag", "ing"})
_TITLE_ENDS = frozenset({"dr", "ssa", "ra", "na", "ing", "med", "jur", "phil", "rer", "hab", "mag"})
_LINK = re.compile(r"://|[<>]", re.IGNORECASE)

# RFC 5321 and 5322 without quoted parts, comments and address literals: what real mailboxes look like.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")


def has_tricks(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds letters that people cannot see: controls, changes of direction, zero width, broken ones.

    lines: line breaks and tabs are fine.
    """
    if text.isascii() and text.isprintable():
        return False
    for place, letter in enumerate(text):
        if lines and letter in "\n\t":
            continue
        if letter in _JOINERS and _joins(text, place):
            continue
        if letter == _BROKEN or unicodedata.category(letter) in _REFUSED_KINDS:
            return True
    return False


def _joins(text: str, place: int) -> bool:
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all(ord(letter) >= _FIRST_JOINED_LETTER for letter in around)


class PlainTextField(forms.CharField):
    """A line of text in any script, without invisible letters. Blanks are tidied and letters composed (NFC)."""

    default_error_messages = {
        "too_long": _("This is too long: shorten it to %(limit)d characters."),
        "tricks": _("This holds invisible or control characters. Type it by hand instead of pasting it."),
    }

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(**kwargs)
        # Django's own message about NUL says nothing that helps; ours covers it.
        self.validators = []

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Tell the browser the limit as well."""
        return super().widget_attrs(widget) | {"maxlength": str(self.longest)}

    def to_python(self, value: Any) -> str:
        """The tidied text."""
        text = super().to_python(value) or ""
        # Before anything that looks at each letter: somebody may send a megabyte.
        if len(text) > self.longest * 4:
            raise ValidationError(self.error_messages["too_long"], code="too_long", params={"limit": self.longest})
        text = self.tidy(text)
        if len(text) > self.longest:
            raise ValidationError(self.error_messages["too_long"], code="too_long", params={"limit": self.longest})
        return text

    def tidy(self, text: str) -> str:
        """One line, composed letters, single blanks. Raises ValidationError for tricks."""
        if has_tricks(text):
            raise ValidationError(self.error_messages["tricks"], code="tricks")
        return " ".join(unicodedata.normalize("NFC", text).split())


def _names_a_host(text: str) -> bool:
    """Whether a name holds what a mail program would show as a link, without a scheme.

    Small letters after the dot, or two or three capitals ("EVIL.DE"). Names in which a blank was forgotten pass:
    "Jan.Novak", "St.Clair", "J.R.R. Tolkien".
    """
    return any(
        (top.islower() or (top.isupper() and len(top) <= 3))
        and not (before.casefold() in _TITLES and top.casefold() in _TITLE_ENDS)
        for before, top in _HOST.findall(text)
    )


class NameField(PlainTextField):
    """A name. Web addresses are refused: our mail must not carry somebody's advertisement to a third person."""

    default_error_messages = {"web_address": _("Write a name, without web addresses or angle brackets.")}

    def tidy(self, text: str) -> str:
        """As PlainTextField, without web addresses."""
        text = super().tidy(text)
        if "@" in text or _WEB_ADDRESS.search(text) or _names_a_host(text):
            raise ValidationError(self.error_messages["web_address"], code="web_address")
        return text


class BodyField(PlainTextField):
    """The name of an organisation or a function. Some bodies are named like a web address: only links are refused."""

    default_error_messages = {"link": _("Write it in words, without links or angle brackets.")}

    def tidy(self, text: str) -> str:
        """As PlainTextField, without links."""
        text = super().tidy(text)
        if _LINK.search(text):
            raise ValidationError(self.error_messages["link"], code="link")
        return text


class LinesField(PlainTextField):
    """Text of several lines."""

    widget = forms.Textarea

    def tidy(self, text: str) -> str:
        """Keep line breaks, at most two in a row."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if has_tricks(text, lines=True):
            raise ValidationError(self.error_messages["tricks"], code="tricks")
        return re.sub(r"\n{3,}", "\n\n", unicodedata.normalize("NFC", text)).strip()


class EmailField(PlainTextField):
    """An address of a real mailbox, normalised to NFKC; domains in every script.

    Stricter than Django's: quoted local parts, address literals, soft hyphens and other invisible letters are refused,
    so that two spellings of one mailbox do not become two people.
    """

    default_error_messages = {
        "not_an_address": _("Write the address like name@example.org."),
        "local_letters": _("Before the @ only Latin letters without accents, digits and . _ - + are possible."),
        "domain": _("Check the part after the @: it must be a domain name such as example.org."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}))
        super().__init__(longest=254, **kwargs)

    def tidy(self, text: str) -> str:
        """The address as it is stored."""
        text = text.strip()
        if has_tricks(text):
            raise ValidationError(self.error_messages["tricks"], code="tricks")
        text = unicodedata.normalize("NFKC", text)
        if not text:
            return ""
        local, at, domain = text.rpartition("@")
        if not at or not local or not domain or "@" in local or any(letter.isspace() for letter in text):
            raise ValidationError(self.error_messages["not_an_address"], code="not_an_address")
        if not _LOCAL.fullmatch(local) or len(local) > 64:
            code = "not_an_address" if local.isascii() else "local_letters"
            raise ValidationError(self.error_messages[code], code=code)
        if not is_domain(domain):
            raise ValidationError(self.error_messages["domain"], code="domain")
        return f"{local}@{domain}"


def is_domain(domain: str) -> bool:
    """Whether mail could go to the domain, as far as its form tells."""
    try:
        ascii_form = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return False
    labels = ascii_form.split(".")
    return (
        len(ascii_form) <= 253
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and bool(_TOP.fullmatch(labels[-1]))
    )
