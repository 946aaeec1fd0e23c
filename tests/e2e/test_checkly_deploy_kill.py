"""A server that is killed in the middle of a deployment: what it left is made whole by the next one, and nothing twice."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from support.checkly import HEARTBEAT, Checkly
from support.server import Server

CHECKS = 300
PROJECT = "/v1/projects/shop"


def resources() -> list[dict[str, Any]]:
    def one(kind: str, logical_id: str, **payload: Any) -> dict[str, Any]:
        return {"type": kind, "logicalId": logical_id, "member": True, "payload": payload}

    found = [one("check-group", f"g{number}", name=f"g{number}") for number in range(20)]
    found += [
        one("alert-channel", f"e{number}", type="EMAIL", config={"address": f"e{number}@example.invalid"})
        for number in range(20)
    ]
    for number in range(CHECKS):
        group = {"ref": f"g{number % 20}"}
        found.append(one("check", f"c{number}", name=f"c{number}", heartbeat=HEARTBEAT, groupId=group))
        told = {"alertChannelId": {"ref": f"e{number % 20}"}, "checkId": {"ref": f"c{number}"}, "activated": True}
        found.append(one("alert-channel-subscription", f"s#{number}", **told))
    return found


BODY = {"project": {"logicalId": "shop", "name": "Shop"}, "resources": resources()}


def kill_at(checkly: Checkly, deployment: str, percent: int) -> None:
    """Kills the server when a deployment is so far, or over."""
    request = urllib.request.Request(
        f"{checkly.server.http_url}{PROJECT}/deployments/{deployment}/events",
        headers={"Authorization": f"Bearer {checkly.key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as stream:
        for line in stream:
            if line.startswith(b"event: complete"):
                break
            if line.startswith(b"data: ") and json.loads(line[6:])["progress"] >= percent:
                break
        checkly.server.kill()


def everything(checkly: Checkly, path: str) -> list[Any]:
    found: list[Any] = []
    while page := checkly.get(f"{path}?limit=100&page={len(found) // 100 + 1}"):
        found += page
        if len(page) < 100:
            break
    return found


@pytest.mark.slow
@pytest.mark.parametrize("percent", [0, 30, 90])
def test_the_next_deployment_completes_it(new_server: Callable[..., Server], percent: int) -> None:
    server = new_server()
    server.start()
    checkly = Checkly(server)
    begun = checkly.ask("POST", "/v1/projects/deploy?dryRun=false", BODY, status=202)
    kill_at(checkly, begun["id"], percent)
    server.start()
    answer = checkly.call("GET", f"{PROJECT}/deployments/{begun['id']}")
    assert answer.status == 200, answer
    left = answer.json
    assert left["status"] in ("FAILED", "SUCCEEDED")
    if left["status"] == "FAILED":
        assert (left["error"]["code"], left["result"]) == ("INTERRUPTED", None)
        assert left["endedAt"]
    kept = {one["name"]: one["id"] for one in everything(checkly, "/v1/checks")}
    assert len(kept) in (0, CHECKS)  # all or none

    begun = checkly.ask("POST", "/v1/projects/deploy?dryRun=false", BODY, status=202)
    done = checkly.get(f"{PROJECT}/deployments/{begun['id']}/completion")
    assert done["status"] == "SUCCEEDED", done
    checks = everything(checkly, "/v1/checks")
    assert sorted(one["logicalId"] for one in checks) == sorted(f"c{number}" for number in range(CHECKS))
    assert all(kept[one["logicalId"]] == one["id"] for one in checks if kept)
    assert all(len(one["alertChannelSubscriptions"]) == 1 for one in checks)
    assert [one["name"] for one in everything(checkly, "/v1/check-groups")] == [f"g{number}" for number in range(20)]
    assert len(everything(checkly, "/v1/alert-channels")) == 20

    begun = checkly.ask("DELETE", PROJECT, status=202)
    kill_at(checkly, begun["id"], percent)
    server.start()
    again = checkly.call("DELETE", PROJECT)
    if again.status == 202:
        done = checkly.get(f"{PROJECT}/deployments/{again.json['id']}/completion")
        assert done["status"] == "SUCCEEDED", done
    for path in ("/v1/checks", "/v1/check-groups", "/v1/alert-channels", "/v1/projects"):
        assert everything(checkly, path) == []
