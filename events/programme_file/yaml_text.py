"""YAML as a tree that knows its lines, read from bytes that somebody sent us.

Only plain data is read: no tags, no merge keys, one document. PyYAML's events are put together here and not by its
composer, because that one forgets duplicate keys, lets aliases multiply and has no limit on depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NoReturn

import yaml

from events.programme_file.problems import InvalidFile, Problem

MOST_BYTES = 5_000_000
MOST_NODES = 200_000  # after aliases are followed; the largest real programme has 3,000
MOST_ALIASES = 1_000
DEEPEST = 40

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster


class Kind(Enum):
    """What a scalar without quotes means to YAML 1.1 readers."""

    TEXT = auto()
    NULL = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    DATE = auto()
    INSTANT = auto()
    TRAP = auto()  # other readers make a number or a truth value of it: quotes are needed


_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), Kind.NULL),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), Kind.BOOLEAN),
}
_PATTERNS = (
    (re.compile(r"-?(0|[1-9][0-9]*)"), Kind.INTEGER),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), Kind.DATE),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*"), Kind.INSTANT),
    # NO for Norway, 11:30 as 690 minutes, 007 as octal, 1_000, 1.5, 0x1f: YAML 1.1 makes something else of each.
    (re.compile(r"(?i)y|n|yes|no|on|off"), Kind.TRAP),
    (re.compile(r"[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), Kind.TRAP),
    (re.compile(r"[-+]?([0-9][0-9_]*)?\.?[0-9_]+([eE][-+]?[0-9]+)?|[-+]?0[xob][0-9a-fA-F_]+"), Kind.TRAP),
    (re.compile(r"(?i)[-+]?\.(inf|nan)"), Kind.TRAP),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. line: from 1. is_plain: written without quotes."""

    line: int
    text: str
    is_plain: bool

    @property
    def kind(self) -> Kind:
        """What it is: anything in quotes is text."""
        if not self.is_plain:
            return Kind.TEXT
        if self.text in _WORDS:
            return _WORDS[self.text]
        return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(self.text)), Kind.TEXT)

    @property
    def is_null(self) -> bool:
        """Whether the file says that there is no value."""
        return self.kind is Kind.NULL


@dataclass(slots=True)
class Sequence:
    """A list. size: nodes in it, aliases followed."""

    line: int
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """Keys and values in order of the file. key_lines: the line of each key. size: nodes in it, aliases followed."""

    line: int
    items: dict[str, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Sequence | Mapping


def parse(data: bytes) -> Mapping:
    """The mapping at the top of a YAML file.

    Raises InvalidFile for anything that is not UTF-8, not YAML, too large, too deep, or not a mapping.
    """
    if len(data) > MOST_BYTES:
        _refuse(0, f"the file has {len(data):,} bytes; a programme file has at most {MOST_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _refuse(line, f"the byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8")
    # PyYAML would refuse it too, but its two readers count the place in different ways.
    if strange := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        _refuse(line, f"the character U+{ord(strange.group()):04X} is not allowed: remove it")
    try:
        root = _Composer(text).compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(mark.line + 1 if mark else 0, f"this is not YAML: {error.problem or error.context}")
    if not isinstance(root, Mapping):
        line = root.line if root is not None else 0
        _refuse(line, "expected keys and values at the top, such as “format: alliance-programme/1”")
    return root


def _refuse(line: int, text: str) -> NoReturn:
    raise InvalidFile([Problem(line, text)])


class _Composer:
    """Puts PyYAML's events together; keeps its own stack, so that depth costs no recursion."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
        self.anchors: dict[str, Node | None] = {}
        self.aliases = 0
        self.stack: list[tuple[Sequence | Mapping, str | None]] = []  # open collections and their anchors
        self.keys: list[Scalar | None] = []  # for each open collection: the key that waits for its value
        self.problems: list[Problem] = []
        self.root: Node | None = None

    def compose(self) -> Node | None:
        """The root node. Raises InvalidFile, yaml.YAMLError."""
        documents = 0
        for event in self.events:
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    _refuse(line, "a second YAML document begins here: a programme file has one")
            elif isinstance(event, yaml.ScalarEvent):
                self.check_tag(event, line)
                self.check_characters(event.value, line)
                plain = event.style is None or event.style == ""
                self.value(self.anchored(Scalar(line, event.value, plain), event.anchor), 1)
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event.anchor or "", line)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self.check_tag(event, line)
                self.open(Sequence(line) if isinstance(event, yaml.SequenceStartEvent) else Mapping(line), event.anchor)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self.close()
        if self.problems:
            raise InvalidFile(self.problems)
        return self.root

    def check_characters(self, text: str, line: int) -> None:
        """Controls and halves of characters can be written as escapes; no page, feed or database takes them."""
        if strange := _STRANGE.search(text):
            self.problems.append(Problem(line, f"the character U+{ord(strange.group()):04X} is not allowed: remove it"))

    def check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> None:
        """Tags make objects in other readers; here they are refused, all of them."""
        if event.tag:
            self.problems.append(Problem(line, f"the tag {event.tag} is not allowed: write plain values"))

    def anchored(self, node: Node, anchor: str | None) -> Node:
        """Remember the node under its anchor."""
        if anchor:
            self.anchors[anchor] = node
        return node

    def alias(self, anchor: str, line: int) -> None:
        """Follow an alias, unless they are too many or one contains itself."""
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            _refuse(line, f"more than {MOST_ALIASES} aliases: write the values out")
        if anchor not in self.anchors:
            _refuse(line, f"the alias *{anchor} has no anchor &{anchor} above it")
        node = self.anchors[anchor]
        if node is None:
            _refuse(line, f"the alias *{anchor} stands inside its own anchor")
        self.value(node, 1 if isinstance(node, Scalar) else node.size)

    def open(self, node: Sequence | Mapping, anchor: str | None) -> None:
        """Begin a list or mapping."""
        if len(self.stack) >= DEEPEST:
            _refuse(node.line, f"nested deeper than {DEEPEST} levels")
        if anchor:
            self.anchors[anchor] = None  # until it is closed
        self.stack.append((node, anchor))
        self.keys.append(None)

    def close(self) -> None:
        """End a list or mapping and hand it to the one around it."""
        node, anchor = self.stack.pop()
        self.keys.pop()
        self.value(self.anchored(node, anchor), node.size)

    def value(self, node: Node, size: int) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return
        parent, _anchor = self.stack[-1]
        parent.size += size
        if parent.size > MOST_NODES:
            _refuse(node.line, f"more than {MOST_NODES:,} values (after following aliases): this is no programme")
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                _refuse(node.line, "a key must be a single word")
            self.keys[-1] = node
            return
        self.keys[-1] = None
        if key.text in parent.items:
            before = parent.key_lines[key.text]
            self.problems.append(Problem(key.line, f"the key “{key.text}” stands twice; the first is in line {before}"))
            return
        parent.items[key.text] = node
        parent.key_lines[key.text] = key.line
