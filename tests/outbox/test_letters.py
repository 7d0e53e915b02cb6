"""Letters of the catalogue: filled from plain text with placeholders, and what an own wording must not be."""

from __future__ import annotations

import pytest

from outbox import catalogue, letters, wording
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Link, Part
from outbox.results import Attachment, Mail

KIND = LetterKind(
    "test",
    "Test",
    "Never.",
    "registration/mail/received.md",
    (
        Placeholder("name", "The name.", "Maria"),
        Placeholder("page", "The page.", "https://example.org/page/", kind=Kind.LINK, is_required=True),
        Placeholder("choices", "The choices.", "One\n\nTwo", kind=Kind.PART),
    ),
)
GOOD = "Dear {{ name }},\n\n{{ choices }}\n\n[Your page]({{ page }})"


def problems(body: str, subject: str = "Your registration") -> list[tuple[str, int]]:
    return [(one.field, one.line) for one in wording.problems(KIND, subject, body)]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Dear {{ nmae }},\n[Page]({{ page }})", 1),
        ("Dear\n{{ name,\n[Page]({{ page }})", 2),
        ("Dear {% include 'x' %}\n[Page]({{ page }})", 1),
        ("{{ name|safe }}\n[Page]({{ page }})", 1),
        ("{{ name.password }}\n[Page]({{ page }})", 1),
        ("Dear {{ name }},", 0),
        ("{{ page }}", 1),
        ("[Page]({{ page }}) [You]({{ name }})", 1),
        ("Yours: {{ choices }}\n[Page]({{ page }})", 1),
        ("[Page]({{ page }})\n\nDear <b>you</b>", 3),
        ("[Page]({{ page }})\n\nDear\nyou <img src=x>", 4),
        ("[Page]({{ page }})\n\n<script>\nx\n</script>", 3),
        ("[Page]({{ page }})\n\n![dot](https://spy.example/x.png)", 3),
        ("[Page]({{ page }})\n\n[here](http://plain.example/)", 3),
        ("[Page]({{ page }})\n\n    indented", 3),
        ("[Page]({{ page }})\n\nbell \x07", 3),
        ("[Page]({{ page }})" + "x" * wording.LONGEST_BODY, 0),
    ],
)
def test_wording_is_refused_with_its_line(body: str, line: int) -> None:
    assert problems(body) == [("body", line)]


@pytest.mark.parametrize("subject", ["", " ", "x" * 121, "Two\nlines", "Dear {{ name }}", "Bcc: \rx"])
def test_subject_is_refused(subject: str) -> None:
    assert {field for field, _line in problems(GOOD, subject)} == {"subject"}


def test_good_wording_is_taken() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//spy.example/", "/relative"])
def test_addresses_of_other_kinds_are_refused(address: str) -> None:
    assert problems(f"[Page]({{{{ page }}}})\n\n[here]({address})") == [("body", 3)]


def test_values_are_put_in_once_and_harmless() -> None:
    values: dict[str, str | Part] = {
        "name": "<b>{{ page }}</b> [x](https://evil.example/)",
        "page": Link("https://here.example/r/secret/"),
        "choices": Part("registration/mail/_choices.md", {"choices": [{"title": "A *star* & <i>", "status": "OK"}]}),
    }

    letter = letters.fill("Hello", GOOD, values, language="en")

    assert letter.text.startswith("Dear <b>{{ page }}</b>")
    assert letter.text.count("https://here.example/r/secret/") == 1
    assert "A *star* & <i>" in letter.text
    assert letter.body.count("<a ") == 1
    assert "<b>" not in letter.body
    assert "<i>" not in letter.body
    assert "A *star* &amp; &lt;i&gt;" in letter.body


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_every_default_is_a_wording_that_could_be_saved(language: str) -> None:
    for kind in catalogue.kinds():
        subject, body = kind.source(language)
        assert wording.problems(kind, subject, body) == [], kind.name
        filled = kind.compose(kind.examples(), language=language)
        assert "{{" not in filled.text + filled.html
        assert filled.body


def test_two_letters_of_one_name_are_refused() -> None:
    known = next(iter(catalogue.kinds()))

    with pytest.raises(ValueError, match="already"):
        catalogue.register(LetterKind(known.name, "Other", "Never.", known.template, ()))


def test_a_repr_tells_nothing_of_the_person() -> None:
    """Reprs end in tracebacks and in failed assertions."""
    told = [
        Mail(
            to="canary@mail.example", subject="canary", text="canary", html="canary", headers={"Reply-To": "canary"},
            attachments=(Attachment("ticket.pdf", b"canary", "application/pdf"),),
        ),
        letters.Letter("canary", "canary", "canary", "canary"),
        Part("events/mail/_x.md", {"name": "canary"}),
    ]  # fmt: skip

    assert "canary" not in repr(told)
