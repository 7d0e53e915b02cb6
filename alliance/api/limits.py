"""How many requests somebody may send in a minute, and what the answer says about it.

Counted in the cache, so that all processes count together. A cache that is away costs nothing but that: each process
then counts on its own, and asks the cache again after some seconds; a request waits for it once at most.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from django.core.cache import cache

from alliance import crypto

log = structlog.get_logger("alliance.api")

_TRY_AGAIN = 10.0  # seconds without the cache after it failed
_MOST_KEPT = 10_000  # counters in the memory of a process
_lock = threading.Lock()
_own: dict[str, int] = {}
_space = "api-limit"
_state = {"away_until": 0.0}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests in each span of `seconds`. name: stands in the headers."""

    name: str
    most: int
    seconds: int = 60

    @property
    def policy(self) -> str:
        """For RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={self.most};w={self.seconds}'

    def count(self, who: str, *, step: int = 1) -> Standing:
        """Count a request of somebody and say where they stand. step=0 only looks."""
        now = time.time()
        span = int(now // self.seconds)
        left = self.seconds - int(now % self.seconds)
        # A keyed hash: neither addresses nor tokens lie readable in the cache.
        key = f"{_space}:{self.name}:{crypto.blind_index('api-limit', who).hex()[:32]}:{span}"
        return Standing(self, _counted(key, step, self.seconds), left)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands. used counts this request; seconds: until the count begins anew."""

    limit: Limit
    used: int
    seconds: int

    @property
    def is_over(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit.most

    @property
    def header(self) -> str:
        """For RateLimit."""
        return f'"{self.limit.name}";r={max(0, self.limit.most - self.used)};t={self.seconds}'


class Fast:
    """Counts many cheap requests: by itself, and together with the other processes at every `step` of somebody's.

    A kept page is answered in less time than the cache needs for one number, so it is asked now and then only. Until
    then the others' requests are not known: somebody may be let through `step` more often for each process.
    """

    def __init__(self, limit: Limit, *, step: int = 25) -> None:
        self.limit = limit
        self.step = step
        self._span = 0
        self._seen: dict[str, list[int]] = {}  # who: requests here since the last look, and all of them at that look

    def count(self, who: str) -> Standing:
        """Count a request of somebody and say where they stand."""
        now = time.time()
        span = int(now // self.limit.seconds)
        if span != self._span or len(self._seen) > _MOST_KEPT:
            self._span, self._seen = span, {}
        here = self._seen.setdefault(who, [0, 0])
        here[0] += 1
        if here[0] >= self.step:
            step, here[0] = here[0], 0
            here[1] = max(here[1] + step, self.limit.count(who, step=step).used)
        return Standing(self.limit, here[0] + here[1], self.limit.seconds - int(now % self.limit.seconds))

    def forget(self) -> None:
        """Begin anew, for tests."""
        self._seen = {}


def _counted(key: str, step: int, seconds: int) -> int:
    if time.monotonic() >= _state["away_until"]:
        try:
            if not step:
                return int(cache.get(key, 0))
            cache.add(key, 0, timeout=seconds)
            return int(cache.incr(key, step))
        except ValueError:  # it ran out between the two
            return step
        except Exception as error:  # whatever a cache raises, requests are answered
            _state["away_until"] = time.monotonic() + _TRY_AGAIN
            log.warning("limits_without_cache", error=type(error).__name__)
    with _lock:
        if len(_own) > _MOST_KEPT:
            _own.clear()
        _own[key] = _own.get(key, 0) + step
        return _own[key]
