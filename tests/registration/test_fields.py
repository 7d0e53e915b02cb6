"""What people may type about themselves, and what is refused with a sentence that helps."""

from __future__ import annotations

import contextlib
import time

import pytest
from django.core.exceptions import ValidationError

from registration.fields import BodyField, EmailField, LinesField, NameField, PlainTextField, has_tricks
from registration.models.participant import normalise_email

NAMES = [
    "Ada",
    "Мария-Анна",
    "Ὀδυσσεύς",
    "Łukasz Żółć",
    "O’Connor",
    "Jean-Luc d'Arc",
    "J. R. R. Tolkien",
    "St.John",
    "J.R.R. Tolkien",
    "J.R.R.Tolkien",
    "St.Clair",
    "Mary-Jane.Watson",
    "M.Jean-Luc d’Ormesson",
    "Mme.Geneviève de Gaulle",
    "Dr.med. Jörg Müller",
    "Prof.Dr. Weber",
    "PROF.DR. WEBER",
    "Prof.dr.med. Weber",
    "Dipl.ing. Karl v.d. Heide",
    "Dott.ssa Maria Rossi",
    "Sig.ra Bianchi",
    "Avv.Rossi",
    "Sra.D.ª Mª.José Núñez",
    "Fco.Javier García",
    "А.С.Пушкин",
    "Иванов И.И.",
    "Проф.Иванова",
    "李小龍",
    "محمد",
    "علی\u200cرضا",  # joined by ZWNJ as Persian writes it
    "क्\u200dष",
    "நதி",
    "Nguyễn Thị",
    "𐐀𐐁",
]
TRICKS = [
    "Ada\x00",
    "Ada\x07",
    "Ada\r\nBcc: all@mail.example",
    "Ada\nGuest",
    "Ada\tGuest",
    "Ada\x7f",
    "Ad\x85a",
    "A\u200bda",
    "A\u200cda",  # a joiner between Latin letters only hides
    "A\u200dda",
    "\u202eadA",
    "\u2066Ada\u2069",
    "A\u00adda",
    "A\u2060da",
    "\ufeffAda",
    "Ada\u2028Guest",
    "Ada\u2029Guest",
    "Ada\ufffd",
    "Ada\ue000",
    "Ada\U000e0041",
    "Ada\ud800",
]
GOOD_ADDRESSES = {
    "ada@mail.example": "ada@mail.example",
    "  ada@mail.example ": "ada@mail.example",
    "Ada.Guest+osce@sub.mail.example": "Ada.Guest+osce@sub.mail.example",
    "o'connor@mail.example": "o'connor@mail.example",
    "ada@почта.example": "ada@почта.example",
    "ada@bücher.example": "ada@bücher.example",
    "ada@xn--bcher-kva.example": "ada@xn--bcher-kva.example",
    "ａｄａ@mail.example": "ada@mail.example",  # full width letters fold
}
BAD_ADDRESSES = [
    "ada",
    "@mail.example",
    "ada@",
    "ada@mail",
    "ada@@mail.example",
    "ada@b@mail.example",
    '"ada guest"@mail.example',
    '"<script>alert(1)</script>"@mail.example',
    "ada@[127.0.0.1]",
    "ada@127.0.0.1",
    "ada@[IPv6:::1]",
    "ada@ex\u00adample.org",
    "a\u200bda@mail.example",
    "ada@mail.example\u202e",
    "ada@mail.example\r\nBcc: all@mail.example",
    "ada@mail.example\nada@mail.example",
    "ada@mail.example\x00",
    "ada,bob@mail.example",
    "ada@mail.example,bob@mail.example",
    "ada@mail.example;bob@mail.example",
    "Ada <ada@mail.example>",
    "mailto:ada@mail.example",
    ".ada@mail.example",
    "ada.@mail.example",
    "a..da@mail.example",
    "ada@-mail.example",
    "ada@mail-.example",
    "ada@mail..example",
    "ada@.mail.example",
    "ada@mail.example.",
    "ada@mail.123",
    "ada@ma il.example",
    "ада@mail.example",
    "ada@" + "a" * 64 + ".example",
    "a" * 65 + "@mail.example",
    "a" * 250 + "@mail.example",
    "ada@xn--a.xn--",
    "=?utf-8?q?ada?=@mail.example@x",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_every_script_are_taken_as_they_are(name: str) -> None:
    assert NameField(longest=90).clean(name) == name


@pytest.mark.parametrize("text", TRICKS)
@pytest.mark.parametrize(
    "field", [NameField(longest=90), BodyField(longest=90), EmailField()], ids=lambda f: type(f).__name__
)
def test_invisible_letters_are_refused_in_one_line(field: PlainTextField, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        field.clean(text)

    assert refused.value.code == "tricks"
    assert "invisible" in refused.value.messages[0]


@pytest.mark.parametrize("text", [text for text in TRICKS if "\n" not in text and "\t" not in text])
def test_invisible_letters_are_refused_in_several_lines(text: str) -> None:
    with pytest.raises(ValidationError, match="invisible"):
        LinesField(longest=90).clean(text)


def test_lines_keep_their_breaks() -> None:
    assert LinesField(longest=90).clean("Captions\r\n\r\n\r\n\tand a ramp ") == "Captions\n\n\tand a ramp"


def test_blanks_are_tidied_and_letters_composed() -> None:
    assert NameField(longest=90).clean("  Zoe\u0308 \u00a0 Guest ") == "Zoë Guest"


@pytest.mark.parametrize(
    "name",
    [
        "https://spam.example/x",
        "Win at www.spam.example",
        "cheap.xyz",
        "buy@spam.example",
        "<b>Ada</b>",
        "spam.ru now",
        "Win money evil.de",
        "evil.fr, now",
        "Evil-Shop.co.at",
        "EVIL.DE",
        "bit.ly",
        "сайт.рф",
        "prof.de",
        "Dr. evil.example",
    ],
)
def test_names_carry_no_web_addresses(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NameField(longest=90).clean(name)

    assert refused.value.code == "web_address"


def test_organisations_may_be_named_like_a_web_address_but_hold_no_link() -> None:
    field = BodyField(longest=90)

    assert field.clean("Change.org") == "Change.org"
    with pytest.raises(ValidationError, match="without links"):
        field.clean("https://change.org")


@pytest.mark.parametrize("length", [91, 1_000_000])
def test_long_texts_are_refused_with_the_limit(length: int) -> None:
    with pytest.raises(ValidationError, match="shorten it to 90 characters"):
        NameField(longest=90).clean("a" * length)


def test_the_limit_counts_what_is_stored() -> None:
    assert len(NameField(longest=5).clean("  e\u0301e\u0301e\u0301e\u0301e\u0301 ")) == 5


@pytest.mark.parametrize(("typed", "stored"), GOOD_ADDRESSES.items())
def test_addresses_of_real_mailboxes_are_taken(typed: str, stored: str) -> None:
    assert EmailField().clean(typed) == stored


@pytest.mark.parametrize("typed", BAD_ADDRESSES)
def test_other_addresses_are_refused_with_what_to_do(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EmailField().clean(typed)

    assert refused.value.code in {"tricks", "not_an_address", "local_letters", "domain", "too_long"}
    assert len(refused.value.messages) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@mail.example", "ADA@MAIL.EXAMPLE"),
        ("ada@mail.example", "ａｄａ@mail.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@bücher.example", "ada@BÜCHER.example"),
        ("ada@bücher.example", "ada@bu\u0308cher.example"),
    ],
)
def test_two_spellings_of_one_mailbox_are_one_address(one: str, other: str) -> None:
    field = EmailField()

    assert normalise_email(field.clean(one)) == normalise_email(field.clean(other))


def test_a_look_alike_in_another_script_is_another_address() -> None:
    cyrillic_a = EmailField().clean("ada@m\u0430il.example")

    assert normalise_email(cyrillic_a) != normalise_email("ada@mail.example")


@pytest.mark.parametrize(("text", "expected"), [("a\nb", True), ("", False), ("naïve", False), ("\u200c", True)])
def test_has_tricks(text: str, expected: bool) -> None:
    assert has_tricks(text) is expected


@pytest.mark.parametrize("part", ["a", " ", "a-", "a.", "é.", "@", "a@", "www.", "\u200b", "\n", "-", "<", "xn--"])
def test_a_megabyte_of_anything_is_answered_at_once(part: str) -> None:
    """Some patterns of names grow with the square of the length, so the length is looked at before."""
    began = time.thread_time()
    for field in (NameField(longest=200), BodyField(longest=200), LinesField(longest=1000), EmailField()):
        for length in (800, 1_000_000):
            with contextlib.suppress(ValidationError):
                field.clean((part * length)[:length] + "!")

    assert time.thread_time() - began < 1
