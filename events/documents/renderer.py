"""The process that sets a PDF: JSON comes in, the PDF goes out, and nothing else can be reached from here.

Started by events.documents.pdf for each document, alone and without the project:

    python -I renderer.py TEMPLATE FONTS

Before it reads anything from outside it gives up memory and time beyond its limits, files it could write, and on Linux
the system calls for the network and for other programs. The template is the only file of its root. Exit codes: 0, or 1
with the reason on standard error, without any content of the document.
"""

from __future__ import annotations

import ctypes
import json
import platform
import re
import resource
import struct
import sys
from pathlib import Path
from typing import Any

MOST_MEMORY = 768 * 1024 * 1024  # bytes of addresses; a programme of 300 sessions needs a third of it
MOST_SECONDS = 20  # of processor time
MOST_BYTES = 16 * 1024 * 1024  # of JSON
LONGEST_WORD = 40  # letters; longer words may be broken anywhere
_STEP = 20
_UNKNOWN = "\ufffd"

# System calls by machine: socket, connect, execve, execveat, ptrace, io_uring_setup.
_FORBIDDEN = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425)),
}
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # 1: EPERM
_NO_NEW_RIGHTS, _SECCOMP, _FILTER = 38, 22, 2  # of prctl
_X32 = 0x40000000  # a second door to the same calls on x86_64


def give_up() -> None:
    """Set the limits. Those a system does not have are left out; the time limit of the parent holds everywhere."""
    limits = {
        "RLIMIT_AS": MOST_MEMORY,
        "RLIMIT_CPU": MOST_SECONDS,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
    }
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None and (sys.platform == "linux" or name != "RLIMIT_AS"):
            resource.setrlimit(kind, (value, value))
    if sys.platform == "linux" and platform.machine() in _FORBIDDEN:
        _forbid(*_FORBIDDEN[platform.machine()])


def _forbid(machine: int, calls: tuple[int, ...]) -> None:
    """Let the kernel refuse system calls from here on, for this process and all its threads (seccomp)."""

    def step(code: int, value: int, on_true: int = 0, on_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, on_true, on_false, value)

    program = [step(_LOAD, 4), step(_JUMP_IF_EQUAL, machine, 1, 0), step(_RETURN, _KILL), step(_LOAD, 0)]
    refusing = len(calls) + 1  # tests before the answer
    program.append(step(_JUMP_IF_AT_LEAST, _X32, refusing, 0))
    program += [step(_JUMP_IF_EQUAL, call, refusing - 1 - at, 0) for at, call in enumerate(calls)]
    program += [step(_RETURN, _ALLOW), step(_RETURN, _REFUSE)]
    code = b"".join(program)
    buffer = ctypes.create_string_buffer(code)
    filters = struct.pack("HP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
    # First: no more rights than now, ever, without which the second is refused to ordinary users.
    if libc.prctl(_NO_NEW_RIGHTS, 1, None, 0, 0) or libc.prctl(_SECCOMP, _FILTER, filters, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def breakable(value: Any) -> Any:
    """The document with places to break in words that are longer than a line."""
    if isinstance(value, str):
        return re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda found: _broken(found[0]), value)
    if isinstance(value, list):
        return [breakable(part) for part in value]
    if isinstance(value, dict):
        # An address is broken by typst itself, and must stay one that can be copied.
        keep = {"link", "text"} if value.get("link") else {"link"}
        return {key: part if key in keep else breakable(part) for key, part in value.items()}
    return value


def _broken(word: str) -> str:
    return "\u200b".join(word[at : at + _STEP] for at in range(0, len(word), _STEP))


def letters(value: Any) -> set[str]:
    """All letters of a document."""
    if isinstance(value, str):
        return set(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return set().union(*map(letters, parts))


class Setter:
    """Sets documents with one template and one set of fonts."""

    def __init__(self, template: Path, fonts: Path) -> None:
        self.template = template
        self.options: dict[str, Any] = {"font_paths": [str(fonts)], "ignore_system_fonts": True, "format": "pdf"}

    def compile(self, document: Any, standards: list[str]) -> bytes:
        """The PDF. Raises typst.TypstError."""
        import typst

        inputs = {"document": json.dumps(document, ensure_ascii=False)}
        options = {**self.options, "pdf_standards": standards, "sys_inputs": inputs}
        return bytes(typst.compile(str(self.template), root=str(self.template.parent), **options))

    def can_show(self, found: str) -> bool:
        """Whether the fonts have all these letters."""
        import typst

        source = b'#set document(title: "letters")\n#set text(font: "Noto Sans", lang: "en")\n#sys.inputs.letters'
        try:
            typst.compile(
                source, **{**self.options, "pdf_standards": ["ua-1"], "sys_inputs": {"letters": " ".join(found)}}
            )
        except typst.TypstError:
            return False
        return True

    def missing(self, found: str) -> str:
        """Those of the letters that no font has."""
        if not found or self.can_show(found):
            return ""
        if len(found) == 1:
            return found
        half = len(found) // 2
        return self.missing(found[:half]) + self.missing(found[half:])

    def pdf(self, document: Any) -> bytes:
        """A PDF/UA-1 if it can be had: letters without a picture in any font are shown as unknown.

        Should it still not be one, the tagged PDF without the promise: a programme must come out whatever its texts.
        """
        import typst

        document = breakable(document)
        try:
            return self.compile(document, ["ua-1"])
        except typst.TypstError:
            rare = "".join(sorted(letter for letter in letters(document) if ord(letter) > 0x17F))
            table = dict.fromkeys(map(ord, self.missing(rare)), _UNKNOWN)
            document = json.loads(json.dumps(document, ensure_ascii=False).translate(table))
        try:
            return self.compile(document, ["ua-1"])
        except typst.TypstError:
            return self.compile(document, ["1.7"])


def main(arguments: list[str]) -> int:
    """Set the document that comes in."""
    template, fonts = map(Path, arguments)
    import typst  # noqa: F401 - loads the library before the limits

    give_up()
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        print("the document is too large", file=sys.stderr)
        return 1
    try:
        made = Setter(template, fonts).pdf(json.loads(content))
    except Exception as error:
        # The message may quote the document, which does not belong into a log.
        print(type(error).__name__, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
