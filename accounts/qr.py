"""QR codes as a picture in the page: black on white with a quiet zone, also in the dark, without style attributes."""

from __future__ import annotations

import segno


def svg(text: str) -> str:
    """An <svg> element."""
    return str(segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr"))
