"""ASGI: the door. The usual spellings of a few paths go straight to who answers them, everything else to the framework.

Every request is stamped here with its arrival, and needs room: how many are answered at once is bounded, and how much
memory their bodies take. For those of the framework all of the body counts as it is read; a lane says what it holds.

A lane is made of a route whose endpoint is one of ours (`http.raw.Endpoint`), so the framework's table still knows
every path, and one that is spelt in an unusual way is answered by the same endpoint, only later. Lanes are found by the
word that a path begins with; those that begin with a token (`http.tokens`) are tried where no lane has the word.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.domain.errors import Unavailable
from tocsin.domain.instant import Instant
from tocsin.http import problems
from tocsin.http.raw import Endpoint
from tocsin.http.tokens import TOKEN
from tocsin.service.room import Hold, Room

_VARIABLE: Final = re.compile(r"\{([a-z_]+)(?::([a-z_]+))?\}")
# What every converter of the framework takes, and nothing of what may mean more than itself in a path.
_WORD: Final = "[A-Za-z0-9._~-]+"
_REST: Final = "[A-Za-z0-9._~/-]*"


_BODILESS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
# Reads that may go on for as long as they like and must not hold the clock; and what tells how we are.
_ENDLESS: Final = ("/v1/projects/[^/]+/monitors:watch", "/metrics(?:/.*)?", "/healthz", "/readyz")


class Busy(NamedTuple):
    """How a protocol says that there is no room, on paths that begin so and, where there is one, match the pattern."""

    beginning: str
    dialect: str
    answer: Callable[[Unavailable], ASGIApp]
    pattern: re.Pattern[str] | None = None

    def knows(self, path: str) -> bool:
        return path.startswith(self.beginning) and (self.pattern is None or self.pattern.fullmatch(path) is not None)


_NATIVE: Final = Busy("", "native", problems.to_response)


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
            found.setdefault(_key(route.path), []).append(lane)
    return found


class Front:
    def __init__(
        self,
        rest: ASGIApp,
        routes: Iterable[BaseRoute],
        arrival: Callable[[], AbstractContextManager[Instant]],
        room: Room,
        failed: Callable[[str, str], None],
        *,
        prefix: str = "",
        busy: Iterable[Busy] = (),
        endless: Iterable[str] = (),
    ) -> None:
        """`rest` answers what no lane does. `prefix`: everything is served below it too.

        `endless`: patterns of whole paths whose reading may go on for as long as it likes, beside our own.

        `failed(dialect, error reason)` is told of requests that found no room; the first of `busy` that knows the path
        answers them.
        """
        self.routes = list(routes)
        self._rest = rest
        self._lanes = lanes(self.routes)
        self._by_token = self._lanes.get(TOKEN, [])
        self._arrival = arrival
        self._room = room
        self._failed = failed
        self._prefix = prefix.rstrip("/")
        self._busy = (*busy, _NATIVE)
        self._endless = re.compile("|".join((*_ENDLESS, *endless)))
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        path = self._below_prefix(scope)
        state = scope.setdefault("state", {})
        with self._room.hold() as hold:
            state["hold"] = hold
            with self._arrival() as received:
                state["received"] = received
                if scope["method"] not in _BODILESS or not self._endless.fullmatch(path):
                    await self._bounded(path, scope, receive, send)
                    return
            await self._rest(scope, receive, send)

    async def _bounded(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._room.admit(self._answering)
        except Unavailable as error:
            await self._turn_away(path, error)(scope, receive, send)
            return
        self._answering += 1
        try:
            endpoint = self._found(path, scope)
            if endpoint is not None:
                await endpoint(scope, receive, send)
            else:
                counted = receive if scope["method"] in _BODILESS else _counted(receive, scope["state"]["hold"])
                await self._rest(scope, counted, send)
        finally:
            self._answering -= 1

    def _below_prefix(self, scope: Scope) -> str:
        path: str = scope["path"]
        if self._prefix and path.startswith(self._prefix) and path.startswith("/", len(self._prefix)):
            scope["root_path"] = self._prefix
            return path[len(self._prefix) :]
        return path

    def _turn_away(self, path: str, error: Unavailable) -> ASGIApp:
        busy = next(one for one in self._busy if one.knows(path))
        self._failed(busy.dialect, error.reason)
        return busy.answer(error)

    def _found(self, path: str, scope: Scope) -> Endpoint | None:
        """Who answers; the variables of the path are then in the scope."""
        for pattern, methods, endpoint in self._lanes.get(_first_word(path), self._by_token):
            if (match := pattern.fullmatch(path)) is not None and (methods is None or scope["method"] in methods):
                scope["path_params"] = match.groupdict()
                return endpoint
        return None


def _counted(receive: Receive, hold: Hold) -> Receive:
    """The same, and what was received is held. Unavailable when there is no room for more."""
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        hold.set(total)
        return message

    return counting


def _first_word(path: str) -> str:
    return path[1 : path.find("/", 1)]


def _key(path: str) -> str:
    """Under which the lane of a route's path is found."""
    variable = _VARIABLE.match(path, 1)
    return TOKEN if variable is not None and variable[2] == TOKEN else _first_word(path)


def _taken(converter: str | None) -> str:
    """What a variable takes of the usual spellings: what its converter does."""
    if converter == "path":
        return _REST
    return _WORD if converter is None else f"(?={CONVERTOR_TYPES[converter].regex}(?:/|$)){_WORD}"


def _regex(path: str) -> str:
    regex, end = "", 0
    for variable in _VARIABLE.finditer(path):
        regex += re.escape(path[end : variable.start()])
        regex += f"(?P<{variable[1]}>{_taken(variable[2])})"
        end = variable.end()
    return regex + re.escape(path[end:])
