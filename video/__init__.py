"""Where people meet on-line: meetings and one adapter per platform."""
