"""How dates and times are written, where our usage differs from that of Django."""
