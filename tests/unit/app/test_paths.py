"""The table of all paths: no path belongs to two of them, whatever its variables are."""

import re

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from support.stores import sqlite_url
from tocsin.app import build as building
from tocsin.app.cronitor import RESERVED
from tocsin.app.settings import Dialects, Settings, Store
from tocsin.dialects.checkly.pings import Pings
from tocsin.dialects.words import CHECKLY_WORDS
from tocsin.http.paths import overlaps, table


@pytest.fixture
def routes(tmp_path):
    parts = building.build(Settings(store=Store(data=str(tmp_path), url=sqlite_url(tmp_path))))
    yield parts.http.routes
    parts.store.close()


def test_no_path_belongs_to_two(routes):
    """Project "0" is none, so that Sentry's /api/0/ is nobody's envelope."""
    words = (
        "0",
        "7",
        "x",
        "organizations",
        "projects",
        "monitors",
        "envelope",
        "store",
        "cron",
        "processing-errors",
        "groups",
        *CHECKLY_WORDS,
    )
    assert overlaps(routes, words) == []


UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize("path", [f"/{UUID}", f"/ping/{UUID}", f"/heartbeats/ping/{UUID}", f"/ping/{UUID}/"])
def test_a_path_of_a_token_is_nobody_elses(routes, path):
    """Cronitor's telemetry has the same shape, and takes every word but these."""
    for spelt in (path, path.upper().replace("PING", "ping").replace("HEARTBEATS", "heartbeats")):
        scope = {"type": "http", "method": "GET", "path": spelt, "headers": [], "root_path": ""}
        found = [route.endpoint for route in routes if route.matches(scope)[0] is not Match.NONE]
        assert [type(endpoint) for endpoint in found] == [Pings]


@pytest.mark.parametrize("word", ["ping", "heartbeats/ping"])
@pytest.mark.parametrize("rest", ["", "/"])
def test_a_token_without_dashes_comes_before_a_key_that_names_no_monitor(routes, word, rest):
    """Cronitor's telemetry could only refuse it; with a monitor behind it, it is a key."""

    def first(path):
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": ""}
        return next((route.endpoint for route in routes if route.matches(scope)[0] is not Match.NONE), None)

    bare = UUID.replace("-", "")
    assert isinstance(first(f"/{word}/{bare}{rest}"), Pings)
    for other in (f"/{word}/{bare}/job", f"/{word}/{bare}0{rest}", f"/{bare}{rest}", f"/p/{bare}{rest}"):
        assert not isinstance(first(other), Pings)


@pytest.fixture
def anonymous(tmp_path):
    """The routes of a server that serves codes too: those of everybody, then those by code."""
    store = Store(data=str(tmp_path), url=sqlite_url(tmp_path))
    parts = building.build(Settings(store=store, dialects=Dialects(cronitor_anonymous=True)))
    found = parts.http.routes
    first = next(place for place, route in enumerate(found) if str(route.path).startswith("/{code"))
    yield found[:first], found[first:]
    parts.store.close()


def test_codes_come_after_everybody_else_and_take_nothing_from_them(anonymous):
    everybody, by_code = anonymous
    assert all(str(route.path).startswith("/{code:monitor_code}") for route in by_code)
    assert not any("monitor_code" in str(getattr(route, "path", "")) for route in everybody)
    literal = {shape.split("/")[1] for shape in table(everybody)} - {"*"}
    taken = {word for word in literal if re.fullmatch("[0-9a-z]{6}", word)}
    assert taken <= set(RESERVED), "words that paths begin with must never be issued as codes"
    assert literal, "nobody else may serve every first word"
    assert overlaps(everybody, (UUID, "report", "readyz", "a1b2c3", "run", "pause")) == []


@pytest.mark.parametrize("path", ["/docs", "/readyz", "/report/job", "/metrics", "/a1b2c", "/a1b2c3d", "/A1B2C3", "/"])
def test_what_is_no_code_is_nobodys(anonymous, path):
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": ""}
    fits = [route.matches(scope)[0] is not Match.NONE for route in anonymous[1]]
    assert not any(fits) or path.split("/")[1] in RESERVED


def test_codes_are_not_served_unless_somebody_wants_it(routes):
    assert not any("monitor_code" in str(getattr(route, "path", "")) for route in routes)


def test_the_table_knows_every_surface(routes):
    found = table(routes)
    for path in (
        "/healthz",
        "/report/*",
        "/v1/projects/*/monitors/*:pause",
        "/api/*/envelope/",
        "/api/0/organizations",
        "/api/monitors/*/activity",
        "/p/*/*",
        "/ping/*/*",
        "/ping",
        "/v1/accounts/*",
    ):
        assert path in found


def test_an_overlap_is_found():
    def nothing(_request: Request) -> Response:
        return Response()

    made = [Route("/a/{x}/b", nothing), Route("/a/{y}/{z}", nothing), Route("/c/{rest:path}", nothing)]
    assert overlaps(made, ("b", "q")) == [("/a/b/b", ["/a/*/*", "/a/*/b"]), ("/a/q/b", ["/a/*/*", "/a/*/b"])]
    assert overlaps([made[0], made[2]], ("b",)) == []
