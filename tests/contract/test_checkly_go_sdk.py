"""What checkly-go-sdk, which is inside the Terraform provider, sent once: sent again, with the ids of this server."""

import json
from typing import Any

import pytest

from support.checkly import Checkly, fixture
from support.server import Server

RECORDED = fixture("go-sdk-heartbeat")["requests"]
EXPECTED = {"POST": 201, "GET": 200, "PUT": 200, "DELETE": 204}
PLACEHOLDERS = {
    "00000000-0000-4000-8000-000000000001": "id",
    "00000000-0000-4000-8000-000000000002": "token",
    "00000000-0000-4000-8000-000000000100": "id",
    "00000000-0000-4000-8000-000000000101": "token",
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


class Replay:
    """Placeholders of ids stand for the newest check and channel."""

    def __init__(self, checkly: Checkly) -> None:
        self.checkly = checkly
        self.known: dict[str, Any] = {}
        self.channel = 0

    def send(self, recorded: dict[str, Any]) -> Any:
        path, body = self._here(recorded["path"]), recorded["body"]
        text = None if body is None else self._here(json.dumps(body)).encode()
        headers = {
            name: value for name, value in recorded["headers"].items() if name in ("user-agent", "x-checkly-source")
        }
        answer = self.checkly.call(
            recorded["method"],
            path,
            text,
            content_type="application/json",
            **{name.replace("-", "_"): value for name, value in headers.items()},
        )
        assert answer.status == EXPECTED[recorded["method"]], (recorded["method"], path, answer)
        if answer.status == 204:
            return None
        found = answer.json
        if path.startswith("/v1/alert-channels"):
            self.channel = found["id"]
        else:
            self.known = {"id": found["id"], "token": found["heartbeat"]["pingToken"]}
        return found

    def _here(self, text: str) -> str:
        for placeholder, name in PLACEHOLDERS.items():
            text = text.replace(placeholder, self.known.get(name, placeholder))
        return text.replace('"alertChannelId": 1,', f'"alertChannelId": {self.channel},')


def test_every_request_is_answered_as_the_library_expects(checkly: Checkly) -> None:
    replay = Replay(checkly)
    answers = [replay.send(recorded) for recorded in RECORDED]
    assert len(answers) == len(RECORDED) == 10

    created, read, changed = answers[1:4]
    assert created["heartbeat"]["pingToken"] == changed["heartbeat"]["pingToken"]
    assert {name: read[name] for name in created} == created
    assert all(isinstance(created["heartbeat"][name], int) for name in ("period", "grace"))
    assert created["description"] is None
    assert created["alertChannelSubscriptions"] == []
    assert (changed["name"], changed["tags"]) == ("tf heartbeat 2", ["a", "b"])
    assert changed["alertChannelSubscriptions"] == [{"alertChannelId": answers[0]["id"], "activated": True}]
    assert changed["alertChannels"]["email"] == [{"address": "ops@example.invalid"}]
    assert changed["alertSettings"] == {
        "escalationType": "TIME_BASED",
        "runBasedEscalation": {"failedRunThreshold": 1},
        "timeBasedEscalation": {"minutesFailingThreshold": 10},
        "reminders": {"amount": 2, "interval": 10},
        "parallelRunFailureThreshold": {"enabled": False, "percentage": 10},
    }

    generic, generic_changed, generic_read = answers[6:9]
    assert generic["checkType"] == "HEARTBEAT"
    assert {name for name in generic_read if generic_read[name] != generic_changed[name]} == set()
    assert generic_changed["name"] == "generic 2"
    assert generic_changed["heartbeat"] == generic["heartbeat"]
    assert generic_read["privateLocations"] == []


def test_the_same_plan_again_changes_nothing(checkly: Checkly) -> None:
    replay = Replay(checkly)
    for recorded in RECORDED[:4]:
        before = replay.send(recorded)
    again = replay.send(RECORDED[3])
    assert again == before
