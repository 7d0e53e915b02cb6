"""What became of the messages of a drain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Report:
    """What became of the messages of one drain."""

    sent: int = 0
    superseded: int = 0
    retried: int = 0
    dead: int = 0
    released: int = 0  # given back untried, because nothing can leave this way at the moment, or `stop` said so
    held: int = 0  # kept back by an app
    lost: int = 0  # taken over by another worker meanwhile
    claimed: int = 0

    def add(self, other: Report) -> None:
        """Add another drain's figures."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
