"""The front: its lanes lead where the framework's routes do, and nothing else goes through them."""

import asyncio
import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.convertors import register_url_convertor
from starlette.requests import Request as Framework
from starlette.responses import Response
from starlette.routing import Match, Route

from tocsin.dialects.words import Unclaimed
from tocsin.domain.errors import Unavailable
from tocsin.http.app import application as application_with
from tocsin.http.front import Busy, Front
from tocsin.http.raw import Answer, Endpoint, Headers, Request
from tocsin.service.room import Room

METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT")


class Told(Endpoint):
    """Answers with its name and the variables of the path."""

    def __init__(self, name):
        self.name = name

    async def answer(self, request: Request):
        return Answer(200, [], f"{self.name} {sorted(request.variables.items())} {request.received}".encode())


class Failing(Endpoint):
    async def answer(self, request: Request):
        raise ValueError("a wheel came off")


async def framework(_request: Framework) -> Response:
    return Response("the framework")


register_url_convertor("unclaimed", Unclaimed())
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ping, envelope, cron, token = Told("ping"), Told("envelope"), Told("cron"), Told("token")
ROUTES = [
    Route("/healthz", framework),
    *(Route(path, ping, methods=["GET", "POST"]) for path in ("/report/{monitor}", "/report/{monitor}/{word}")),
    Route("/api/{project:unclaimed}/envelope/", envelope),
    Route("/api/{project}/cron/{rest:path}", cron),
    Route("/failing/{x}", Failing()),
    Route("/report/{token:ping_token}/below/it", token),
    Route("/{token:ping_token}", token),
    Route("/{token:ping_token}/", token),
]
PIECE = st.sampled_from(
    [
        "report",
        "api",
        "cron",
        "envelope",
        "monitors",
        "healthz",
        "",
        "below",
        "7",
        "a.b",
        "-",
        "é",
        "\n",
        "a\n",
        ":",
        "%2F",
        "x y",
        "~",
        UUID,
        UUID.upper(),
        UUID + "0",
        UUID.replace("-", ""),
    ]
)
PATH = st.lists(PIECE, max_size=6).map(lambda pieces: "/" + "/".join(pieces))


def scope_of(path, method="GET", query=b"", headers=()):
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": list(headers), "root_path": "",
    }  # fmt: skip


@contextlib.contextmanager
def arrival():
    yield 42


def application(routes, prefix="", room=None, failed=lambda *_: None, **options):
    return application_with(routes, arrival, room or Room(9, 2**20), failed, prefix=prefix, **options)


async def ask(app, scope, messages=({"type": "http.request"},)):
    sent = []
    coming = iter(messages)

    async def receive():
        return next(coming)

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


def way(front, scope):
    return front._found(front._below_prefix(scope), scope)


@given(PATH, st.sampled_from(METHODS), st.sampled_from(["", "/below"]))
def test_a_lane_leads_where_the_route_does(path, method, prefix):
    front = application(ROUTES, "/below")
    found = way(front, scope := scope_of(prefix + path, method))
    if found is None:
        return
    plain = scope_of(path.removeprefix("/below") if not prefix else path, method)
    matches = [(route, *route.matches(plain)) for route in ROUTES]
    route, _, more = next(match for match in matches if match[1] is Match.FULL)
    assert route.endpoint is found
    assert more["path_params"] == scope["path_params"]


@given(PATH, st.sampled_from(METHODS))
def test_the_answer_is_the_frameworks(path, method):
    """The framework knows the endpoints too: whatever the front lets pass, it answers in the same words."""
    front = application(ROUTES, "/below")
    alone = Front(front._rest, [], arrival, Room(9, 9), lambda *_: None, prefix="/below")
    assert asyncio.run(ask(front, scope_of(path, method))) == asyncio.run(ask(alone, scope_of(path, method)))


def test_usual_paths_take_a_lane():
    front = application(ROUTES, "/below")
    for path in ("/report/job", "/report/job/ok", "/api/7/envelope/", "/api/7/cron/job/key/", "/below/report/job"):
        assert way(front, scope_of(path)) is not None
    for path in (f"/{UUID}", f"/{UUID.upper()}/", f"/below/{UUID}", f"/report/{UUID}/below/it"):
        assert way(front, scope_of(path)) is token
    for path in (f"/{UUID}0", f"/{UUID}/ok", f"/{UUID[:-1]}", f"/{UUID.replace('-', '')}", f"/x/{UUID}"):
        assert way(front, scope_of(path)) is None
    for path in ("/healthz", "/report/job%", "/belowreport/job", "/", "", "/report"):
        assert way(front, scope_of(path)) is None
    assert way(front, scope_of("/report/job", "PUT")) is None
    assert way(front, scope_of("/api/7/envelope/", "PUT")) is envelope  # its endpoint knows its own methods


def test_a_fault_is_500_and_goes_on_to_the_server():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    front = application(ROUTES)
    with pytest.raises(ValueError, match="a wheel came off"):
        asyncio.run(front(scope_of("/failing/x"), receive, send))
    assert sent[0]["status"] == 500
    assert b"wheel" not in sent[1]["body"]


def test_who_leaves_is_not_answered():
    class Reading(Endpoint):
        async def answer(self, request: Request):
            return Answer(200, [], b"".join([piece async for piece in request.stream()]))

    front = application([Route("/read/{x}", Reading())])
    pieces = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "body": b"b"}]
    assert asyncio.run(ask(front, scope_of("/read/x"), pieces))[1]["body"] == b"ab"
    assert asyncio.run(ask(front, scope_of("/read/x"), [pieces[0], {"type": "http.disconnect"}])) == []


HEADER = st.tuples(st.sampled_from([b"a", b"b", b"c-d"]), st.sampled_from([b"", b"1", b"2", b"\xe4"]))


@given(st.lists(HEADER))
def test_headers_are_read_as_the_framework_reads_them(raw):
    ours, theirs = Headers(raw), Framework({"type": "http", "headers": raw}).headers
    for name in ("a", "b", "c-d", "e"):
        assert ours.get(name, "-") == theirs.get(name, "-")
        assert ours.getlist(name) == theirs.getlist(name)
        assert (name in ours) == (name in theirs)


QUERY = st.text("ab=&+%41;?é ", max_size=12).map(lambda text: text.encode("latin-1"))


@given(QUERY)
def test_queries_are_read_as_the_framework_reads_them(query):
    scope = scope_of("/", query=query) | {"path_params": {}, "state": {"received": 0, "hold": None}}
    theirs = Framework(scope).query_params
    ours = Request(scope, None)
    assert ours.query_pairs == theirs.multi_items()
    assert ours.query() == dict(theirs.items())


class Waiting(Endpoint):
    """Answers when it is told to, and holds what it was sent."""

    def __init__(self):
        self.go = asyncio.Event()

    async def answer(self, request: Request):
        content = b"".join([piece async for piece in request.stream()])
        request.hold.set(len(content))
        await self.go.wait()
        return Answer(200, [])


def test_more_than_there_is_room_for_are_told_to_come_back():
    async def main():
        told, refused, waiting = [], [], Waiting()
        room = Room(2, 2**20, lambda: refused.append(1))
        busy = Busy("/api/", "sentry", lambda problem: Answer(503, [(b"a", b"b")], problem.message.encode()))
        narrow = Busy("/", "checkly", lambda _: Answer(503, [(b"c", b"d")]), re.compile(f"/{UUID}"))
        routes = [Route("/report/{x}", waiting), *ROUTES]
        front = application(routes, room=room, failed=lambda *one: told.append(one), busy=[narrow, busy])
        first = [asyncio.ensure_future(ask(front, scope_of("/report/x"))) for _ in range(2)]
        await asyncio.sleep(0)
        start, _ = await ask(front, scope_of("/report/x"))
        assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
        start, _ = await ask(front, scope_of("/anything"))
        assert start["status"] == 503
        start, _ = await ask(front, scope_of("/api/7/envelope/"))
        assert start["headers"] == [(b"a", b"b")]
        start, _ = await ask(front, scope_of(f"/{UUID}"))
        assert start["headers"] == [(b"c", b"d")]
        start, _ = await ask(front, scope_of("/healthz"))  # who looks after us must see us
        assert start["status"] == 200
        assert told == [("native", "QUEUE_FULL")] * 2 + [("sentry", "QUEUE_FULL"), ("checkly", "QUEUE_FULL")]
        assert len(refused) == 4
        waiting.go.set()
        assert [answer[0]["status"] for answer in await asyncio.gather(*first)] == [200, 200]
        assert (await ask(front, scope_of("/report/x")))[0]["status"] == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "bounded"),
    [
        ("GET", "/v1/check-statuses", False),
        ("GET", "/accounts/a/prometheus/metrics", False),
        ("GET", "/accounts/a/v2/prometheus/metrics", False),
        ("GET", "/v1/projects/p/monitors:watch", False),
        ("GET", "/metrics", False),
        ("GET", "/report/check-statuses", True),
        ("GET", "/p/key/check-statuses", True),
        ("GET", "/report/job:watch", True),
        ("GET", "/v1/projects/p/monitors/x:watch", True),
        ("GET", "/a/b/c/prometheus/metrics", True),
        ("POST", "/v1/check-statuses", True),
        ("POST", "/accounts/a/prometheus/metrics", True),
    ],
)
def test_what_is_bounded_goes_by_the_whole_path(method, path, bounded):
    async def main():
        endless = ("/v1/check-statuses", "/accounts/[^/]+/(?:v2/)?prometheus/metrics")
        front = application([], room=Room(0, 2**20), endless=endless)
        start, *_ = await ask(front, scope_of(path, method))
        assert (start["status"] == 503) is bounded

    asyncio.run(main())


def test_bodies_are_held_and_let_go():
    async def main():
        room, waiting = Room(9, 50_000), Waiting()
        front = application([Route("/read/{x}", waiting)], room=room)
        message = {"type": "http.request", "body": b"x" * 30_000}
        first = asyncio.ensure_future(ask(front, scope_of("/read/x"), [message]))
        await asyncio.sleep(0)
        assert room.held == 30_000
        with pytest.raises(Unavailable):  # endpoints make answers of it
            await ask(front, scope_of("/read/x"), [message])
        assert room.held == 30_000
        waiting.go.set()
        await first
        assert room.held == 0

    asyncio.run(main())


def test_all_of_a_body_counts_where_the_framework_reads_it():
    async def read(request: Framework) -> Response:
        content = await request.body()
        return Response(f"{len(content)} {room.held}")

    room = Room(9, 50_000)
    front = application([Route("/read", read, methods=["POST"])], room=room)
    pieces = [{"type": "http.request", "body": b"x" * 20_000, "more_body": True}, {"type": "http.request"}]
    assert asyncio.run(ask(front, scope_of("/read", "POST"), pieces))[1]["body"] == b"20000 20000"
    large = [{"type": "http.request", "body": b"x" * 60_000}]
    assert asyncio.run(ask(front, scope_of("/read", "POST"), large))[0]["status"] == 503
    assert room.held == 0


@pytest.mark.parametrize(
    ("method", "path", "bounded"),
    [
        ("GET", "/v1/projects/1/monitors:watch", False),
        ("GET", "/metrics/monitors", False),
        ("GET", "/all/of/it", False),
        ("POST", "/all/of/it", True),
        ("GET", "/report/all/of/it", True),
        ("GET", "/report/monitors:watch", True),
        ("GET", "/metricsandmore", True),
    ],
)
async def test_only_whole_paths_that_are_read_are_outside_of_the_room(method, path, bounded):
    asked = []

    class Asked(Room):
        def admit(self, answering):
            asked.append(answering)

    async def rest(_scope, _receive, _send):
        pass

    room = Asked(10, 1_000_000, lambda: None)
    front = Front(rest, [], lambda: contextlib.nullcontext(0), room, lambda *_: None, endless=["/all/of/it"])
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "state": {}}
    await front(scope, None, None)
    assert bool(asked) is bounded
