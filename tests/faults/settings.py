"""The real settings with one topic more, for programs that the fault tests start and kill."""

from alliance.settings import *  # noqa: F403
from alliance.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.faults.apps.FaultsConfig"]
