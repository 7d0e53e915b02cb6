"""Run the supervisor by the path of this file, without importing `alliance`, whose settings do not exist yet."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alliance import supervisor
else:
    _spec = importlib.util.spec_from_file_location("alliance_supervisor", Path(__file__).with_name("__init__.py"))
    supervisor = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = supervisor
    _spec.loader.exec_module(supervisor)

sys.exit(supervisor.main(sys.argv[1:]))
