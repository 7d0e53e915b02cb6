"""The way into the room on-line: the gateway, the board, rehearsals, the platform (docs/joining.md)."""
