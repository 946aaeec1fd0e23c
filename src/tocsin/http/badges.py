"""Badges: small pictures of how a monitor is, for pages of others. SVG, legible to whoever cannot see it."""

from typing import Final
from xml.sax.saxutils import escape

from starlette.responses import Response

_COLOURS: Final = {"passing": "#2da44e", "failing": "#cf222e", "paused": "#6e7781"}
_NAME_MAX: Final = 60  # characters
_CHARACTER: Final = 6.6  # its width, about
_MARGIN: Final = 12
_HEADERS: Final = {"Cache-Control": "public, max-age=60"}


def answer(name: str, state: str) -> Response:
    """The picture, which may be a minute old."""
    return Response(drawn(name[:_NAME_MAX], state), 200, _HEADERS, "image/svg+xml")


def drawn(name: str, state: str) -> str:
    """`state`: passing, failing or paused."""
    left, right = (round(len(text) * _CHARACTER + _MARGIN) for text in (name, state))
    label = escape(f"{name}: {state}", {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}">'
        f"<title>{label}</title>"
        f'<rect width="{left}" height="20" fill="#424a53"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[state]}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2}" y="14">{escape(name)}</text>'
        f'<text x="{left + right / 2}" y="14">{state}</text>'
        "</g></svg>\n"
    )
