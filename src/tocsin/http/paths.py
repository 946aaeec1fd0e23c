"""The table of all paths that a server answers, made of its routes; and whether any path belongs to two of them.

A shape is a path with `*` for each variable: "/api/*/envelope/". Routes that share a shape share it on purpose, and
are tried in order.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final

from starlette.routing import BaseRoute, Match

_VARIABLE: Final = re.compile(r"\{[a-z_]+(?::[a-z_]+)?\}|\*")
_DEPTH: Final = 3  # variables of a path that take every word; the rest are plain


def shape(route: BaseRoute) -> str:
    """Routes of Starlette write their variables as {name}, transcoded ones as *."""
    return _VARIABLE.sub("*", str(getattr(route, "path", "")))


def table(routes: Iterable[BaseRoute]) -> list[str]:
    return sorted({shape(route) for route in routes})


def overlaps(routes: Sequence[BaseRoute], words: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
    """Paths that routes of several shapes would answer, with those shapes.

    Variables take each of `words` in turn; name there what stands as a literal elsewhere, and what may look like one.
    """
    found: dict[str, list[str]] = {}
    for known in table(routes):
        count = known.count("*")
        for values in product(words or ("x",), repeat=min(count, _DEPTH)):
            filling = iter((*values, *("x",) * count))
            path = _VARIABLE.sub(lambda _, filling=filling: next(filling), known)  # type: ignore[misc] # the default binds it
            owners = sorted({shape(route) for route in routes if _answers(route, path)})
            if len(owners) > 1:
                found[path] = owners
    return sorted(found.items())


def _answers(route: BaseRoute, path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": [], "root_path": ""}
    return route.matches(scope)[0] is not Match.NONE
