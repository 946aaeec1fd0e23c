"""Deployments that nobody should send: an error with its three keys, nothing deployed, and the server lives on."""

import gzip
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from support.bounded import bounded_by
from support.checkly import HEARTBEAT, Checkly
from support.readers import reader_key
from support.server import Server

DEPLOY = "/v1/projects/deploy?dryRun=false"
MIB = 1024 * 1024


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


@pytest.fixture(autouse=True)
def bounded(server: Server) -> Iterator[None]:
    with bounded_by(server, lambda: Checkly(server).call("GET", "/v1/accounts/me").status == 200):
        yield


@pytest.fixture
def project(checkly: Checkly) -> Iterator[str]:
    """A logical id that nobody has, also afterwards."""
    name = f"bad-{uuid.uuid4().hex[:10]}"
    yield name
    assert checkly.call("GET", f"/v1/projects/{name}").status == 404


def body(project: str, *resources: Any) -> dict[str, Any]:
    return {"project": {"logicalId": project, "name": "x"}, "resources": list(resources)}


def resource(kind: str = "check", logical_id: Any = "a", **more: Any) -> dict[str, Any]:
    payload = {"name": "a", "checkType": "HEARTBEAT", "heartbeat": HEARTBEAT} if kind == "check" else {"name": "a"}
    return {"type": kind, "logicalId": logical_id, "member": True, "payload": payload, **more}


def told(**payload: Any) -> dict[str, Any]:
    return resource("alert-channel-subscription", "s", payload={"activated": True, **payload})


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "check",
        {},
        resource(logical_id=""),
        resource(logical_id=7),
        resource(logical_id="a\0b"),
        resource(logical_id="x" * 100_000),
        resource("x" * 100_000),
        resource(member="no"),
        resource(member=False, physicalId=10**30),
        resource(member=False, physicalId="'; drop table bindings; --"),
        resource(payload=[1]),
        resource(payload={}),
        resource(payload={"name": "a", "heartbeat": {**HEARTBEAT, "period": 10**30}}),
        resource(payload={"name": "a", "heartbeat": HEARTBEAT, "checkType": {"a": 1}}),
        resource(payload={"name": "a", "heartbeat": HEARTBEAT, "groupId": {"ref": {"ref": "a"}}}),
        resource(payload={"name": "a", "heartbeat": HEARTBEAT, "groupId": {"ref": "a"}}),
        resource(payload={"name": "a", "heartbeat": HEARTBEAT, "groupId": 10**30}),
        resource("check-group", payload={"name": ""}),
        resource("check-group", payload={"name": "g", "tags": "cron"}),
        resource("alert-channel", payload={"type": "PIGEON", "config": {}}),
        resource(
            "alert-channel", payload={"type": "WEBHOOK", "config": {"url": "https://x.invalid", "template": "{{#if"}}
        ),
        resource("maintenance-window", payload={"name": "w", "startsAt": "now", "endsAt": "later"}),
        told(),
        told(alertChannelId=10**30, checkId=str(uuid.uuid4())),
        told(alertChannelId=-1, groupId=-1),
        told(alertChannelId={"ref": "s"}, checkId={"ref": "s"}),
        told(alertChannelId=True, groupId=True),
        told(alertChannelId=1, checkId="x", groupId=1),
    ],
)
def test_a_resource_that_cannot_be(checkly: Checkly, project: str, wrong: Any) -> None:
    for path in (DEPLOY, "/next-v2/projects/deploy"):
        assert checkly.refused("POST", path, body(project, resource("check-group", "fine"), wrong)).status == 400


@pytest.mark.parametrize(
    "project_said",
    [
        None,
        [],
        {},
        {"logicalId": "x"},
        {"name": "x"},
        {"logicalId": "x" * 201, "name": "x"},
        {"logicalId": "x", "name": "y" * 801},
    ],
)
def test_a_project_that_is_none(checkly: Checkly, project_said: Any) -> None:
    assert checkly.refused("POST", DEPLOY, {"project": project_said, "resources": []}).status == 400


def test_too_many_of_them(checkly: Checkly, project: str) -> None:
    many = [resource("check-group", f"g{number}") for number in range(50_001)]
    assert checkly.refused("POST", DEPLOY, body(project, *many)).status == 400
    checks = [resource(logical_id=f"c{number}") for number in range(10_001)]
    assert "at most 10000 checks" in checkly.refused("POST", DEPLOY, body(project, *checks)).text


def test_packed_bodies_that_are_bombs_or_broken(checkly: Checkly, project: str) -> None:
    def sent(data: bytes) -> int:
        return checkly.refused("POST", DEPLOY, data, content_encoding="gzip").status

    assert sent(gzip.compress(b" " * 64 * MIB)) == 413
    whole = gzip.compress(json.dumps(body(project, resource())).encode())
    assert sent(whole[:-10]) == 400
    assert sent(b"\x1f\x8b" + b"\0" * 20) == 400
    assert sent(json.dumps(body(project)).encode()) == 400


def test_keys_and_accounts_that_do_not_fit(checkly: Checkly, server: Server, project: str) -> None:
    good = body(project, resource())
    assert checkly.refused("POST", DEPLOY, good, x_checkly_account=str(uuid.uuid4())).status == 403
    assert Checkly(server, "0" * 32).refused("POST", DEPLOY, good).status == 401
    for key in (reader_key(server), server.ingest_key):
        other = Checkly(server, key)
        assert other.refused("POST", DEPLOY, good).status == 403
        assert other.refused("DELETE", f"/v1/projects/{project}").status == 403
        assert other.refused("POST", "/next/checkly-storage/upload-code-bundle", b"x").status == 403


def test_an_archive_has_a_bound(checkly: Checkly) -> None:
    assert checkly.ask("POST", "/next/checkly-storage/upload-code-bundle", b"x" * MIB)["key"]
    assert checkly.refused("POST", "/next/checkly-storage/upload-code-bundle", b"x" * (65 * MIB)).status == 413


@pytest.mark.parametrize("name", ["%00", "..", "x" * 5_000, "%F0%9F%94%94", "'"])
def test_odd_names_in_paths(checkly: Checkly, name: str) -> None:
    for path in (f"/v1/projects/{name}", f"/v1/projects/{name}/deployments/{name}"):
        assert checkly.refused("GET", path).status in (400, 404, 414, 431)
