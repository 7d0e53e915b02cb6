"""The static files of the demo, collected when something has changed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable

from . import layout
from .environment import manage
from .processes import Step


def static_files_stamp() -> str:
    """What the collected static files depend on: our own files, and the pinned packages with theirs."""
    found = hashlib.sha256((layout.ROOT / "requirements" / "base.txt").read_bytes())
    found.update((layout.ROOT / "alliance" / "settings.py").read_bytes())
    for directory in [layout.ROOT / "static", *sorted(layout.ROOT.glob("*/static"))]:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and layout.VAR not in path.parents:
                about = path.stat()
                found.update(f"{path}:{about.st_size}:{about.st_mtime_ns}\n".encode())
    return found.hexdigest()


def collect_static(environment: dict[str, str]) -> tuple[Step, Callable[[], None]] | None:
    """Begin to collect the static files, unless nothing has changed.

    Gives the step, and what to call when it has succeeded.
    """
    stamp_file = layout.VAR / "static.stamp"
    stamp = static_files_stamp()
    with contextlib.suppress(OSError):
        if stamp_file.read_text(encoding="ascii") == stamp and (layout.VAR / "static").is_dir():
            return None
    stamp_file.unlink(missing_ok=True)
    collecting = Step("static", manage("collectstatic", "--noinput", "--clear", "--verbosity=0"), environment)

    def done() -> None:
        stamp_file.write_text(stamp, encoding="ascii")

    return collecting, done
