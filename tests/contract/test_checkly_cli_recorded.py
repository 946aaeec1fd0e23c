"""What the CLI once sent, version by version, sent again: each request gets the answer that the CLI needs."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from support.checkly import Answer, Checkly, fixture
from support.server import Server

ACCOUNT = "11111111-1111-4111-8111-111111111111"
PLACEHOLDER = re.compile(r"00000000-0000-4000-8000-0000000000\d\d")  # of a check, or of a deployment
DEPLOYED = fixture("cli-8.23.2-deploy")["requests"][2]
EVENTS = "/v1/projects/tocsin-acceptance/deployments/{}/events"
EXPECTED = {
    ("POST", "/next-v2/projects/deploy"): 200,
    ("DELETE", "/v1/projects/tocsin-acceptance"): 202,
    ("POST", "/v1/variables"): 201,
}
RECORDED = {
    "cli-5.6.0-deploy-destroy": 9,
    "cli-7.5.2-deploy-destroy": 9,
    "cli-8.23.2-deploy": 7,
    "cli-8.23.2-other-commands": 22,
}


class Replay:
    """The recorder's ids of checks stand for those here, in the order of the diff; that of a deployment for the last."""

    def __init__(self, checkly: Checkly, requests: list[dict[str, Any]]) -> None:
        self.checkly = checkly
        named = json.dumps([one for one in requests if "/deployments/" not in one["path"]])
        self.placeholders = sorted(set(PLACEHOLDER.findall(named)))
        self.checks: dict[str, str] = {}
        self.deployment = ""

    def send(self, recorded: dict[str, Any]) -> Answer:
        path, headers = recorded["path"].replace(ACCOUNT, self.checkly.account), recorded.get("headers", {})
        path = PLACEHOLDER.sub(self.deployment, path) if "/deployments/" in path else self._ids(path)
        kept = {name.replace("-", "_"): value for name, value in headers.items() if name in ("accept", "content-type")}
        packed = headers.get("content-encoding") == "gzip"
        answer = self.checkly.call(recorded["method"], path, self._body(recorded), packed=packed, **kept)
        if path.endswith("/events"):
            self.learn(frames(answer)[-1][1]["result"])
        elif "/projects/" in path and answer.content:
            found = answer.json
            self.deployment = found.get("id", "")
            self.learn(found)
        return answer

    def learn(self, found: dict[str, Any]) -> None:
        """The checks that a deployment has made."""
        made = [one["physicalId"] for one in found.get("diff", ()) if one["type"] == "check"]
        if made and not self.checks and made[0]:
            self.checks = dict(zip(self.placeholders, made, strict=False))

    def _body(self, recorded: dict[str, Any]) -> Any:
        body = recorded["body"]
        if isinstance(body, str):  # "the same shape as …"
            body = DEPLOYED["body"]
        if recorded["path"].endswith("upload-code-bundle"):
            return b"PK\x05\x06" + b"\0" * 18  # an empty archive
        return None if body is None else self._ids(json.dumps(body)).encode()

    def _ids(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.checks[found[0]], text)


def frames(answer: Answer) -> list[tuple[str, Any]]:
    """The events of a stream, with their data."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("\n\n")
    found = [frame.split("\n") for frame in answer.text[:-2].split("\n\n")]
    return [
        (lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: ")))
        for lines in found
        if not lines[0].startswith(":")
    ]


@pytest.mark.parametrize(("name", "count"), RECORDED.items())
def test_every_recorded_request_is_answered(new_server: Callable[..., Server], name: str, count: int) -> None:
    server = new_server()
    server.start()
    requests = fixture(name)["requests"]
    replay = Replay(Checkly(server), requests)
    if name == "cli-8.23.2-other-commands":  # which were recorded after a deployment
        replay.send(DEPLOYED)
        replay.send({"method": "GET", "path": EVENTS.format(replay.deployment), "body": None})
    sent = 0
    for recorded in requests:
        answer = replay.send(recorded)
        assert answer.status == EXPECTED.get((recorded["method"], recorded["path"].partition("?")[0]), answer.status)
        assert answer.status in (200, 201, 202, 204), (recorded["method"], recorded["path"], answer)
        if recorded["path"].endswith("/events"):
            event, done = frames(answer)[-1]
            assert (event, done["status"], done["progress"]) == ("complete", "SUCCEEDED", 100)
        sent += 1
    assert sent == count
