"""The table of all paths: no path belongs to two of them, whatever its variables are."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.stores import sqlite_url
from tocsin.app import build as building
from tocsin.app.settings import Settings, Store
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
    )
    assert overlaps(routes, words) == []


def test_the_table_knows_every_surface(routes):
    found = table(routes)
    for path in (
        "/healthz",
        "/report/*",
        "/v1/projects/*/monitors/*:pause",
        "/api/*/envelope/",
        "/api/0/organizations",
        "/api/monitors/*/activity",
    ):
        assert path in found


def test_an_overlap_is_found():
    def nothing(_request: Request) -> Response:
        return Response()

    made = [Route("/a/{x}/b", nothing), Route("/a/{y}/{z}", nothing), Route("/c/{rest:path}", nothing)]
    assert overlaps(made, ("b", "q")) == [("/a/b/b", ["/a/*/*", "/a/*/b"]), ("/a/q/b", ["/a/*/*", "/a/*/b"])]
    assert overlaps([made[0], made[2]], ("b",)) == []
