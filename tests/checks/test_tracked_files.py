"""What may not stand in a committed file: package registries' hosts, this machine's paths, secrets.

The forbidden words are put together here from pieces, or read from this machine, so that none stands in this file.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.services import ROOT

WELL_KNOWN_REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("crates", "io"),
    )
]


def tracked_files() -> list[Path]:
    """Every committed or staged file; outside a git checkout there are none to check."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    answer = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """The text files among them."""
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            yield path.relative_to(ROOT), content.decode("utf-8", "replace")


def registries_of_this_machine() -> set[str]:
    """Hosts that this machine's package clients are set up with."""
    found = [value for name, value in os.environ.items() if re.search("index|registry|find_links|proxy", name, re.I)]
    configured = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found.append(configured.stdout)
    for place in ("~/.npmrc", "~/.pip/pip.conf", "~/.config/uv/uv.toml", "/etc/apt/sources.list"):
        path = Path(place).expanduser()
        try:
            found.append(path.read_text(encoding="utf-8"))
        except OSError:
            continue
    hosts = {urlsplit(url).hostname or "" for text in found for url in re.findall(r"https?://[^\s'\"]+", text)}
    return {host for host in hosts if "." in host and not re.fullmatch(r"[0-9.]+|localhost", host)}


def test_no_package_registry_is_named() -> None:
    hosts = sorted({*WELL_KNOWN_REGISTRIES, *registries_of_this_machine()})
    pattern = re.compile("|".join(rf"(?<![a-z0-9-]){re.escape(host)}(?![a-z0-9-])" for host in hosts))
    named = [f"{path}: {found[0]}" for path, text in texts() if (found := pattern.search(text))]
    assert named == []


def test_no_path_of_a_machine_is_named() -> None:
    homes = "root|work|home/[a-z]+|Users/[A-Za-z]+|opt/wheels"
    # Not preceded by a letter or a host: addresses of web pages may well have such a part.
    pattern = re.compile(rf"(?<![\w./-])/(?:{homes})/[\w.-]+")
    here = str(ROOT)
    named = [
        f"{path}: {found[0] if found else here}"
        for path, text in texts()
        if (found := pattern.search(text)) or (here in text and len(here) > 5)
    ]
    assert named == []


def test_no_secret_is_committed() -> None:
    pattern = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}")
    assert [str(path) for path, text in texts() if pattern.search(text)] == []
    kept = {path.relative_to(ROOT).as_posix() for path in tracked_files() if "secrets" in path.parts}
    assert kept <= {"deploy/secrets/.gitignore", "deploy/secrets/README.md"}


def test_no_file_is_huge() -> None:
    assert [str(path) for path in tracked_files() if path.stat().st_size > 3_000_000] == []
