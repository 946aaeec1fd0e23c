"""ASGI: the door. The usual spellings of a few paths go straight to who answers them, everything else to the framework.

A lane is made of a route whose endpoint is one of ours (`http.raw.Endpoint`), so the framework's table still knows
every path, and one that is spelt in an unusual way is answered by the same endpoint, only later.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tocsin.domain.instant import Instant
from tocsin.http.raw import Endpoint

_VARIABLE: Final = re.compile(r"\{([a-z_]+)(:path)?\}")
# What every converter of the framework takes, and nothing of what may mean more than itself in a path.
_WORD: Final = "[A-Za-z0-9._~-]+"
_REST: Final = "[A-Za-z0-9._~/-]*"


class Lane(NamedTuple):
    """`methods`: None is all of them."""

    pattern: re.Pattern[str]
    methods: frozenset[str] | None
    endpoint: Endpoint


def lanes(routes: Iterable[BaseRoute]) -> dict[str, list[Lane]]:
    """By the word that a path begins with; in the order of the routes."""
    found: dict[str, list[Lane]] = {}
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint):
            methods = None if route.methods is None else frozenset(route.methods)
            lane = Lane(re.compile(_regex(route.path)), methods, route.endpoint)
            found.setdefault(_first_word(route.path), []).append(lane)
    return found


class Front:
    def __init__(
        self,
        rest: ASGIApp,
        routes: Iterable[BaseRoute],
        arrival: Callable[[], AbstractContextManager[Instant]],
        prefix: str = "",
    ) -> None:
        """`rest` answers what no lane does, and stamps it itself. `prefix`: everything is served below it too."""
        self.routes = list(routes)
        self._rest = rest
        self._lanes = lanes(self.routes)
        self._arrival = arrival
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._found(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self._rest(scope, receive, send)
            return
        with self._arrival() as received:
            scope.setdefault("state", {})["received"] = received
            await endpoint(scope, receive, send)

    def _found(self, scope: Scope) -> Endpoint | None:
        """Who answers; the variables of the path are then in the scope."""
        path: str = scope["path"]
        if self._prefix and path.startswith(self._prefix) and path.startswith("/", len(self._prefix)):
            scope["root_path"] = self._prefix
            path = path[len(self._prefix) :]
        for pattern, methods, endpoint in self._lanes.get(_first_word(path), ()):
            if (match := pattern.fullmatch(path)) is not None and (methods is None or scope["method"] in methods):
                scope["path_params"] = match.groupdict()
                return endpoint
        return None


def _first_word(path: str) -> str:
    return path[1 : path.find("/", 1)]


def _regex(path: str) -> str:
    regex, end = "", 0
    for variable in _VARIABLE.finditer(path):
        regex += re.escape(path[end : variable.start()])
        regex += f"(?P<{variable[1]}>{_REST if variable[2] else _WORD})"
        end = variable.end()
    return regex + re.escape(path[end:])
