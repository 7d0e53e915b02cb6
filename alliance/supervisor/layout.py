"""Where this checkout keeps what is made at run time, and the servers' own code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
LOGS = VAR / "log"
STATE = VAR / "run" / "demo.json"

if TYPE_CHECKING:
    from alliance import servers as servers
else:
    _spec = importlib.util.spec_from_file_location("alliance_servers", ROOT / "alliance" / "servers" / "__init__.py")
    servers = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = servers
    _spec.loader.exec_module(servers)
