"""Path templates of google.api.http, compiled: "/v1/{name=projects/*/monitors/*}:pause" matches and names its parts.

A `*` is one segment without "/" and ":", so that a custom verb is never taken for the end of an id; an id that holds a
colon is written "%3A". `**` is the rest of the path. Matching is on the path as it was sent; decoding comes after, part
by part, so that an encoded slash never moves a border between segments.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_TOKEN = re.compile(r"\{(?P<variable>[a-z0-9_.]+)(?:=(?P<pattern>[^}]+))?\}|(?P<literal>[^{}]+)")
_WILDCARDS = {"*": "[^/:]+", "**": "[^:]+"}


@dataclass(frozen=True, slots=True)
class Template:
    """`variables` are field paths, with whether each spans several segments; `shape` is the template without them."""

    text: str
    shape: str
    pattern: re.Pattern[str]
    variables: tuple[tuple[str, bool], ...]
    rank: tuple[tuple[int, ...], str]  # sorts what is more literal first, so that a wildcard never hides a word

    def match(self, raw_path: str) -> dict[str, str] | None:
        """The value of each variable; None when the path is another. UnicodeDecodeError when it is not UTF-8."""
        found = self.pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {
            name: decode(value, several=several)
            for (name, several), value in zip(self.variables, found.groups(), strict=True)
        }


def parse(text: str) -> Template:
    """Compiles a template. ValueError for one that is none: a mistake in the contract, found at start-up."""
    regex, shape = "", ""
    variables: list[tuple[str, bool]] = []
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() != end:
            break
        end = token.end()
        if (literal := token["literal"]) is not None:
            regex += _segments(literal)
            shape += literal
        else:
            pattern = token["pattern"] or "*"
            regex += f"({_segments(pattern)})"
            shape += pattern
            variables.append((token["variable"], pattern != "*"))
    if end != len(text) or not text.startswith("/"):
        raise ValueError(f"not a path template: {text!r}")
    kinds = {"*": 1, "**": 2}
    ranks = tuple(kinds.get(segment.partition(":")[0], 0) for segment in shape.split("/"))
    return Template(text, shape, re.compile(regex), tuple(variables), (ranks, shape))


def decode(value: str, *, several: bool) -> str:
    """Percent-decoding; in a value of several segments an encoded slash stays encoded, and is no border."""
    if several:
        value = re.sub("%2f", "%252F", value, flags=re.IGNORECASE)
    return unquote(value, errors="strict")


def _segments(text: str) -> str:
    pieces = re.split(r"(\*\*|\*)", text)
    return "".join(_WILDCARDS.get(piece) or re.escape(piece) for piece in pieces)
