"""Programs of Node.js that judge what we make: pinned by package-lock.json, installed into var/ when that changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


class NoNode(Exception):
    """There is no Node.js, or too old a one; the text says what to do."""


def installed(pins: Path, place: Path, *, name: str, oldest: tuple[int, int]) -> Path:
    """The node_modules of the packages that a directory pins. Raises NoNode; ends the program when npm fails.

    pins: where package.json and package-lock.json lie. place: where they are installed. oldest: version of Node.js.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNode(
            f"{name} needs Node.js and npm (Debian, Ubuntu: apt install nodejs npm; macOS: brew install node)."
        )
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, said.lstrip("v").split(".")[:2])) < oldest:
        least = ".".join(map(str, oldest))
        raise NoNode(f"This is Node.js {said}; {name} needs {least} or newer (https://nodejs.org/ has it).")
    modules, stamp = place / "node_modules", place / "installed"
    lock = (pins / "package-lock.json").read_bytes()
    if not modules.exists() or not stamp.exists() or stamp.read_bytes() != lock:
        print(f"Installing {name} ...", flush=True)
        place.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(pins / file, place)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=place, check=False).returncode:
            sys.exit(f"Installing {name} failed. Is there a connection to an npm registry (npm config get registry)?")
        stamp.write_bytes(lock)
    return modules
