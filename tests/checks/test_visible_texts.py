"""The check that finds text outside the translations finds it, and leaves the rest alone."""

from __future__ import annotations

import pytest

from alliance.visible_texts import Finding, in_python, in_template

HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Welcome</p>", [Finding(1, "Welcome")]),
        ("<p>\n{{ name }}\n  Welcome, {{ name }}</p>", [Finding(2, f"{HOLE} Welcome, {HOLE}")]),
        ('<img src="a.png" alt="A map">', [Finding(1, "alt='A map'")]),
        ('{% if a %}\n<a aria-label="To {{ title }}"></a>{% endif %}', [Finding(2, f"aria-label='To {HOLE}'")]),
        ('<p>{% translate "Welcome" %} {{ name }} · 12 %, PDF &nbsp; (→)</p>', []),
        ("<p>{% blocktranslate count n=n %}{{ n }} place{% plural %}{{ n }} places{% endblocktranslate %}</p>", []),
        ('{% comment %}\nWhat it is for\n{% endcomment %}<code>shell</code><script>"use strict"</script>', []),
        ('<a href="https://example.org/words">{{ url }}</a><p class="some words" data-state="open"></p>', []),
    ],
)  # fmt: skip
def test_template_text_outside_a_translation_is_found(source: str, expected: list[Finding]) -> None:
    assert in_template(source) == expected


def test_mail_text_outside_a_translation_is_found_but_not_the_name_of_its_header() -> None:
    source = 'Subject: {% translate "Your place" %}\n\n{% translate "Hello" %} {{ name }},\n\nSee you soon.\n'

    assert in_template(source, is_html=False) == [Finding(5, "See you soon.")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('field = Char(label="Your name", help_text=_("As printed"))', [Finding(1, "Your name")]),
        ('raise ValidationError("Too long")', [Finding(1, "Too long")]),
        ('form.add_error(None, f"{name} is closed")', [Finding(1, " is closed")]),
        ('messages.success(request, "Saved" if ok else _("Kept"))', [Finding(1, "Saved")]),
        ('class Mode(models.TextChoices):\n    ONLINE = "online", "On-line"\n', [Finding(2, "On-line")]),
        ('class Taken(DomainError):\n    code = "taken"\n    message = "Taken."\n', [Finding(3, "Taken.")]),
        ('class Mode(models.TextChoices):\n    ONLINE = "online", _("On-line")\n', []),
        ('log.error("mail lost"); field = Char(max_length=3, label=_("Name"), verbose_name="ID")', []),
    ],
)  # fmt: skip
def test_python_string_that_people_read_is_found(source: str, expected: list[Finding]) -> None:
    assert in_python(source) == expected
