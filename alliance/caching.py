"""What our cache in Redis holds: JSON.

Django keeps values by pickle, which runs whatever it is given: whoever got at Redis would be in our processes.
"""

from __future__ import annotations

import json
from typing import Any


class JsonValues:
    """The cache's serializer. What it cannot read counts as not there, since anything in the cache may be lost."""

    def dumps(self, value: Any) -> bytes | int:
        """A value as it is stored; integers as they are, so that Redis can count. Raises TypeError for other things."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        """The value, None for anything that is not ours."""
        try:
            return json.loads(stored)
        except ValueError:  # also bytes that are no UTF-8
            return None
