"""What nobody should send to Checkly's API: each time an error with its three keys, nothing kept, and the server lives on.

Bodies that are no JSON, packed ones that are bombs or broken, keys and accounts that do not fit, values out of bounds.
"""

import gzip
import http.client
import json
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from support.bounded import bounded_by
from support.checkly import HEARTBEAT, Checkly
from support.readers import reader_key
from support.server import Server

MIB = 1024 * 1024
CREATE = "/v1/checks/heartbeat?autoAssignAlerts=false"
BODY = {"name": "fine", "heartbeat": HEARTBEAT}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


@pytest.fixture(autouse=True)
def bounded(server: Server) -> Iterator[None]:
    with bounded_by(server, lambda: Checkly(server).call("GET", "/v1/accounts/me").status == 200):
        yield


@pytest.fixture
def reader(server: Server) -> Checkly:
    """A key that may only read."""
    return Checkly(server, reader_key(server))


def total(checkly: Checkly) -> str:
    return checkly.call("GET", "/v1/checks").headers["content-range"].rpartition("/")[2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b'{"name": "x"',
        b"{} {}",
        b"\xff\xfe",
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b'{"heartbeat": {"period": 1e999}}',
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 1_000_000,
        b'{"name": "\\ud800", "heartbeat": {}}',
    ],
)
def test_bodies_that_are_no_object(checkly: Checkly, body: bytes) -> None:
    assert checkly.refused("POST", CREATE, body).status == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"heartbeat": None}, "heartbeat"),
        ({"heartbeat": {**HEARTBEAT, "period": 29, "periodUnit": "seconds"}}, "heartbeat.period"),
        ({"heartbeat": {**HEARTBEAT, "period": 366, "periodUnit": "days"}}, "heartbeat.period"),
        ({"heartbeat": {**HEARTBEAT, "period": 30.5, "periodUnit": "seconds"}}, "heartbeat.period"),
        ({"heartbeat": {**HEARTBEAT, "periodUnit": "weeks"}}, "heartbeat.periodUnit"),
        ({"heartbeat": {**HEARTBEAT, "grace": -1}}, "heartbeat.grace"),
        ({"heartbeat": {**HEARTBEAT, "pingToken": "x"}}, "heartbeat.pingToken"),
        ({"heartbeat": {"period": 1}}, "heartbeat.periodUnit"),
        ({"frequency": 7}, "frequency"),
        ({"checkType": "BROWSER"}, "checkType"),
        ({"groupId": 999_999}, "groupId"),
        ({"groupId": "x"}, "groupId"),
        (
            {"alertChannelSubscriptions": [{"alertChannelId": 999_999, "activated": True}]},
            "alertChannelSubscriptions[0].alertChannelId",
        ),
        ({"alertSettings": {"reminders": {"amount": 6}}}, "alertSettings.reminders.amount"),
        ({"description": "x" * 511}, "description"),
        ({"tags": ["a\u0000b"]}, "tags[0]"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "  "}, "name"),
        ({"description": "a\u0000b"}, "description"),
        ({"script": "a\u0000b"}, "script"),
    ],
)
def test_values_out_of_bounds(checkly: Checkly, change: dict[str, Any], field: str) -> None:
    before = total(checkly)
    answer = checkly.refused("POST", CREATE, {**BODY, **change})
    assert (answer.status, answer.json["error"]) == (400, "Bad Request")
    assert field in answer.json["validation"]["keys"]
    assert field in answer.json["message"]
    made = checkly.create()
    assert checkly.refused("PUT", f"/v1/checks/heartbeat/{made['id']}", {**BODY, **change}).status == 400
    assert checkly.get(f"/v1/checks/{made['id']}")["updated_at"] is None
    checkly.ask("DELETE", f"/v1/checks/{made['id']}", status=204)
    assert total(checkly) == before


@pytest.mark.parametrize("missing", ["name", "heartbeat"])
def test_what_a_new_check_must_have(checkly: Checkly, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    assert checkly.refused("POST", CREATE, body).json["validation"]["keys"] == [missing]
    assert checkly.refused("POST", "/v1/checks", {**body, "checkType": "HEARTBEAT"}).status == 400


def test_the_form_for_all_types_needs_one(checkly: Checkly) -> None:
    assert checkly.refused("POST", "/v1/checks", BODY).json["validation"]["keys"] == ["checkType"]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "limit=1.5", "limit=-1", "limit=9999999999999999999"),
        *("page=0", "page=-1", "page=x", "page=1e3", "status=broken", "applyGroupSettings=maybe"),
        "search=" + "x" * 201,
        "&".join(f"tag={one}" for one in range(101)),
    ],
)
def test_queries_out_of_bounds(checkly: Checkly, query: str) -> None:
    answer = checkly.refused("GET", f"/v1/checks?{query}")
    assert (answer.status, answer.json["validation"]["source"]) == (400, "query")


def test_as_many_tags_as_a_check_may_have(checkly: Checkly) -> None:
    assert checkly.get("/v1/checks?" + "&".join(f"tag={one}" for one in range(100))) == []


def test_types_of_checks_that_are_not_run(checkly: Checkly) -> None:
    """The vendor has a path for each."""
    for kind in ("api", "browser", "tcp", "multi-step"):
        answer = checkly.refused("POST", f"/v1/checks/{kind}", {"name": "x"})
        assert (answer.status, answer.json["validation"]["keys"]) == (400, ["checkType"])
        assert f"checks of the type {kind} are not run here" in answer.text
    assert checkly.refused("POST", f"/v1/checks/{uuid.uuid4()}", {}).status == 405


def test_odd_queries_of_a_write(checkly: Checkly) -> None:
    assert checkly.refused("POST", "/v1/checks/heartbeat?autoAssignAlerts=perhaps", BODY).status == 400


@pytest.mark.parametrize("place", ["x", "123", "0" * 31, "%00", "..%2f", str(uuid.uuid4())[:-1]])
@pytest.mark.parametrize("path", ["/v1/checks/", "/v2/checks/", "/v3/checks/", "/v1/check-statuses/"])
def test_ids_that_are_none(checkly: Checkly, path: str, place: str) -> None:
    assert checkly.refused("GET", path + place).status in (400, 404)
    if path == "/v1/checks/":
        assert checkly.refused("PUT", f"/v1/checks/heartbeat/{place}", BODY).status in (400, 404)


def test_ids_that_nobody_has(checkly: Checkly) -> None:
    unknown = uuid.uuid4()
    assert checkly.refused("GET", "/v1/checks/not-a-uuid").status == 400
    for method, path in (
        *(("GET", f"/v{version}/checks/{unknown}") for version in (1, 2, 3)),
        ("GET", f"/v1/check-statuses/{unknown}"),
        ("PUT", f"/v1/checks/{unknown}"),
        ("PUT", f"/v1/checks/heartbeat/{unknown}"),
        ("DELETE", f"/v1/checks/{unknown}"),
    ):
        assert checkly.refused(method, path, BODY if method == "PUT" else None).status == 404


def test_a_monitor_that_is_no_heartbeat_is_no_check(checkly: Checkly) -> None:
    name = f"cron-{uuid.uuid4().hex[:8]}"
    made = checkly.server.create_monitor(name, schedules=[{"cron": {"expression": "0 * * * *"}}])
    for method in ("GET", "DELETE", "PUT"):
        assert checkly.refused(method, f"/v1/checks/{made['uid']}", {} if method == "PUT" else None).status == 404


def test_a_key_that_only_reads(checkly: Checkly, reader: Checkly) -> None:
    made = checkly.create()
    assert reader.get(f"/v1/checks/{made['id']}") == checkly.get(f"/v1/checks/{made['id']}")
    for method, path in (
        ("POST", "/v1/checks/heartbeat"),
        ("POST", "/v1/checks"),
        ("PUT", f"/v1/checks/{made['id']}"),
        ("DELETE", f"/v1/checks/{made['id']}"),
    ):
        answer = reader.refused(method, path, None if method == "DELETE" else BODY)
        assert (answer.status, answer.json["error"]) == (403, "Forbidden")


def test_a_key_that_only_reports(server: Server) -> None:
    assert Checkly(server, server.ingest_key).refused("GET", "/v1/checks").status == 403


def test_the_wrong_account(checkly: Checkly) -> None:
    answer = checkly.refused("POST", CREATE, BODY, x_checkly_account=str(uuid.uuid4()))
    assert (answer.status, answer.json["error"]) == (403, "Forbidden")


def test_packed_bodies(checkly: Checkly) -> None:
    assert checkly.call("POST", CREATE, BODY, packed=True).status == 201
    deflated = zlib.compress(json.dumps(BODY).encode())
    assert checkly.call("POST", CREATE, deflated, content_encoding="deflate").status == 201
    plain = gzip.compress(json.dumps(BODY).encode())
    for broken in (plain[:-9], b"x" + plain, b"", plain[:5]):
        assert checkly.refused("POST", CREATE, broken, content_encoding="gzip").status == 400
    assert checkly.refused("POST", CREATE, plain, content_encoding="rot13").status == 415


def test_packed_and_in_chunks(checkly: Checkly) -> None:
    """As the command line sends its deployments."""
    packed = gzip.compress(json.dumps(BODY).encode())
    connection = http.client.HTTPConnection("127.0.0.1", checkly.server.http_port, timeout=30)
    headers = {"Authorization": f"Bearer {checkly.key}", "Content-Encoding": "gzip"}
    connection.request("POST", CREATE, iter([packed[:7], packed[7:]]), headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()


def test_a_bomb(checkly: Checkly) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * (64 * MIB))
    assert len(bomb) < MIB
    assert checkly.refused("POST", CREATE, bomb, content_encoding="gzip").status == 413


def test_a_body_that_is_too_long_is_refused_before_it_is_read(checkly: Checkly) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", checkly.server.http_port, timeout=30)
    connection.putrequest("POST", CREATE)
    connection.putheader("Authorization", f"Bearer {checkly.key}")
    connection.putheader("Content-Length", str(64 * MIB))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["statusCode"]) == (413, 413)
    connection.close()


def test_no_body_where_none_belongs_and_one_where_none_does(checkly: Checkly) -> None:
    made = checkly.create()
    for body in (None, b"", b"{", b"garbage"):
        answer = checkly.call("GET", f"/v1/checks/{made['id']}", body, content_type="application/json")
        assert answer.status == 200
    assert checkly.call("DELETE", f"/v1/checks/{made['id']}", content_type="application/json").status == 204


def test_methods_that_are_not_served(checkly: Checkly) -> None:
    for method, path in (("PATCH", "/v1/checks"), ("DELETE", "/v1/checks"), ("POST", "/v2/checks")):
        assert checkly.refused(method, path, {}).status == 405


def test_odd_texts_are_kept(checkly: Checkly) -> None:
    for name in ("\u202e", "'; DROP TABLE monitors; --", "💥" * 200, "<script>"):
        made = checkly.create(name=name)
        assert checkly.get(f"/v1/checks/{made['id']}")["name"] == name
        assert checkly.get("/v1/checks?limit=1&search=%25%27") == []
