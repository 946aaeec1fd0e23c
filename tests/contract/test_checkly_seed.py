"""The request that the reference prints, byte for byte, and the shape that it prints of the answer."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support.checkly import Checkly, differences, fixture
from support.server import Server

PRINTED = (Path(__file__).parent / "fixtures" / "checkly" / "reference.txt").read_text(encoding="utf-8")
KEYS = {
    *("id", "name", "activated", "muted", "tags", "alertSettings", "useGlobalAlertSettings"),
    *("alertChannelSubscriptions", "triggerIncident", "runParallel", "description", "intent", "aiAutoRepairEnabled"),
    *("checkType", "heartbeat", "alertChannels", "created_at", "updated_at"),
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def printed_body() -> str:
    found = re.search(r"--data '(\{.*?\n\})'\n", PRINTED, re.DOTALL)
    assert found
    return found[1]


def printed_answer() -> dict[str, object]:
    after = PRINTED[PRINTED.index(printed_body()) + len(printed_body()) :]
    answer: dict[str, object] = json.loads(after[after.index("\n{") : after.index("\n}") + 2])
    return answer


def test_the_printed_command_makes_a_check(checkly: Checkly) -> None:
    """With curl, the key alone in its header, without an account, with every placeholder as it stands."""
    command = PRINTED[PRINTED.index("curl --request POST") : PRINTED.index(printed_body()) + len(printed_body()) + 1]
    here = command.replace("https://api.checklyhq.com", checkly.server.http_url).replace("<api-key>", checkly.key)
    done = subprocess.run(
        ["sh", "-c", here + " --silent --write-out '\n%{http_code}'"], capture_output=True, text=True, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    assert status == "201", body
    found = json.loads(body)
    assert found.keys() == KEYS
    assert differences(printed_answer(), found) == []
    assert {name: found[name] for name in ("name", "activated", "muted", "tags", "runParallel")} == {
        "name": "Check",
        "activated": True,
        "muted": False,
        "tags": ["production"],
        "runParallel": False,
    }
    sent = json.loads(printed_body())
    assert found["alertSettings"] == sent["alertSettings"]
    beat = {**sent["heartbeat"], "pingToken": found["heartbeat"]["pingToken"]}
    assert found["heartbeat"] == {**beat, "pingUrl": f"{checkly.server.http_url}/ping/{beat['pingToken']}"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", beat["pingToken"])


def test_the_recorded_request_is_the_printed_one(checkly: Checkly) -> None:
    recorded = fixture("seed-create-heartbeat")
    assert recorded["request"]["body"] == json.loads(printed_body())
    assert recorded["response"]["body"] == printed_answer()
    answer = checkly.call(recorded["request"]["method"], recorded["request"]["path"], recorded["request"]["body"])
    assert answer.status == recorded["response"]["status"]
    assert differences(recorded["response"]["body"], answer.json) == []


def test_what_is_read_back_has_it_all(checkly: Checkly) -> None:
    made = checkly.ask("POST", "/v1/checks/heartbeat", printed_body().encode(), status=201)
    found = checkly.get(f"/v1/checks/{made['id']}")
    assert {name: found[name] for name in KEYS} == made
    assert found["locations"] == ["us-east-1", "eu-central-1"]
    assert (found["groupId"], found["groupOrder"]) == (None, None)
