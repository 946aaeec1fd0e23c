"""Each attribute of a check: its default, what is refused, what is read back; and that the README has a row for it."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from support.checkly import HEARTBEAT, Checkly, fixture
from support.server import Server

README = Path(__file__).parents[2] / "src" / "tocsin" / "dialects" / "checkly" / "README.md"
REFERENCE = fixture("seed-create-heartbeat")
SETTINGS = {
    "escalationType": "TIME_BASED",
    "runBasedEscalation": {"failedRunThreshold": 4},
    "timeBasedEscalation": {"minutesFailingThreshold": 15},
    "reminders": {"amount": 100_000, "interval": 30},
    "parallelRunFailureThreshold": {"enabled": True, "percentage": 50},
    "sslCertificates": {"enabled": True, "alertThreshold": 30},
}
INCIDENT = {
    "serviceId": str(uuid.uuid4()),
    "severity": "CRITICAL",
    "name": "n",
    "description": "d",
    "notifySubscribers": True,
}
VARIABLE = {"key": "K", "value": "v", "locked": True, "secret": False}
NOTHING = object()  # it is not there

# Name, default as it is read, what may be said, and what may not.
ATTRIBUTES: list[tuple[str, Any, Any, Any]] = [
    ("name", "job", "another", ""),
    ("activated", True, False, "no"),
    ("muted", False, True, None),
    ("tags", [], ["a", "team:b"], [""]),
    ("description", None, "what for", "x" * 511),
    ("alertSettings", None, SETTINGS, {"escalationType": "x"}),
    ("useGlobalAlertSettings", True, False, 1),
    ("alertChannelSubscriptions", [], [], [{}]),
    ("groupId", None, None, "x"),
    ("groupOrder", None, 3, -1),
    ("triggerIncident", None, INCIDENT, {}),
    ("runParallel", False, True, "x"),
    ("locations", [], ["us-east-1", "eu-central-1"], ["nowhere"]),
    ("intent", None, {"goal": "g", "requiredOutcomes": ["r"], "mustPreserve": ["m"]}, []),
    ("aiAutoRepairEnabled", None, True, "x"),
    ("doubleCheck", NOTHING, True, "x"),
    ("shouldFail", NOTHING, True, "x"),
    ("frequency", None, 1440, 3),
    ("frequencyOffset", NOTHING, 2, 0),
    ("runtimeId", NOTHING, "2025.04", "1999.01"),
    ("script", NOTHING, "<string>", 1),
    ("scriptPath", NOTHING, "a.js", 1),
    ("sslCheckDomain", NOTHING, "example.org", 1),
    ("environmentVariables", NOTHING, [VARIABLE], [VARIABLE] * 201),
    ("setupSnippetId", NOTHING, 5, "x"),
    ("tearDownSnippetId", NOTHING, 6, "x"),
    ("localSetupScript", NOTHING, "a()", 1),
    ("localTearDownScript", NOTHING, "b()", 1),
    ("degradedResponseTime", NOTHING, 300_000, 300_001),
    ("maxResponseTime", NOTHING, 0, -1),
    ("checkType", "HEARTBEAT", "HEARTBEAT", "TCP"),
]
NULLABLE = {
    *("description", "alertSettings", "groupId", "groupOrder", "triggerIncident", "locations", "intent"),
    *("aiAutoRepairEnabled", "frequency", "frequencyOffset", "runtimeId", "script", "scriptPath", "sslCheckDomain"),
    *("environmentVariables", "setupSnippetId", "tearDownSnippetId", "localSetupScript", "localTearDownScript"),
    *("degradedResponseTime", "maxResponseTime"),
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def read(checkly: Checkly, check: dict[str, Any], name: str) -> Any:
    return checkly.get(f"/v1/checks/{check['id']}").get(name, NOTHING)


@pytest.mark.parametrize(("name", "default", "said", "wrong"), ATTRIBUTES, ids=[one[0] for one in ATTRIBUTES])
def test_an_attribute(checkly: Checkly, name: str, default: Any, said: Any, wrong: Any) -> None:
    bare = checkly.create()
    if name == "alertSettings":
        default = checkly.get("/v1/accounts/me")["alertSettings"]
    assert read(checkly, bare, name) == default or read(checkly, bare, name) is default

    made = checkly.create(**{name: said})
    assert read(checkly, made, name) == said
    path = f"/v1/checks/heartbeat/{bare['id']}"
    assert checkly.ask("PUT", path, {name: said}).get(name, said) == said
    assert read(checkly, bare, name) == said
    checkly.ask("PUT", path, {"heartbeat": HEARTBEAT})
    assert read(checkly, bare, name) == said, "what is not said stays"

    for answer in (
        checkly.refused("PUT", path, {name: wrong}),
        checkly.refused("POST", "/v1/checks/heartbeat", {"name": "n", "heartbeat": HEARTBEAT, name: wrong}),
    ):
        assert answer.status == 400
        assert answer.json["validation"]["keys"][0].startswith(name)
    if name in NULLABLE:
        checkly.ask("PUT", path, {name: None})
        assert read(checkly, bare, name) == default or read(checkly, bare, name) is default, "null takes it away"
    else:
        assert checkly.refused("PUT", path, {name: None}).json["validation"]["keys"] == [name]


@pytest.mark.parametrize("ignored", ["request", "privateLocations", "retryStrategy", "sslCheck", "id", "createdAt"])
def test_what_is_ignored(checkly: Checkly, ignored: str) -> None:
    for value in (None, {}, [], "x", 7):
        made = checkly.create(**{ignored: value})
        checkly.ask("DELETE", f"/v1/checks/{made['id']}", status=204)


def test_the_value_of_a_secret_is_never_shown(checkly: Checkly) -> None:
    made = checkly.create(environmentVariables=[{"key": "K", "value": "hidden-7", "secret": True}])
    for path in (f"/v1/checks/{made['id']}", "/v1/checks?limit=100"):
        assert "hidden-7" not in checkly.call("GET", path).text
    shown = [{"key": "K", "value": None, "locked": False, "secret": True}]
    assert read(checkly, made, "environmentVariables") == shown
    again = checkly.ask("PUT", f"/v1/checks/{made['id']}", {"environmentVariables": shown})
    assert again["updated_at"] is None  # which changes nothing


def paths(value: Any, path: str = "") -> set[str]:
    """All members of an object, those of objects in it with the path to them."""
    if isinstance(value, list):
        return paths(value[0], path) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, part in value.items():
        found |= {f"{path}{name}"} | paths(part, f"{path}{name}.")
    return found


def rows() -> dict[str, list[str]]:
    """The table of attributes: the cells of each row, by the names in its first cell."""
    table = README.read_text(encoding="utf-8").partition("### Attributes")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells)
    return found


def test_the_readme_has_a_row_for_each_attribute_of_the_reference() -> None:
    documented = rows()
    sent, answered = paths(REFERENCE["request"]["body"]), paths(REFERENCE["response"]["body"])
    wanted = sent | answered | {"Authorization", "x-checkly-account", "autoAssignAlerts"}
    assert wanted - documented.keys() == set()
    assert {name for name, *_ in ATTRIBUTES} - documented.keys() == set()
    assert all(len(cells) == 6 and all(cells) for cells in documented.values()), "type, default, ..., test"


def test_the_tests_that_rows_name_exist() -> None:
    folder = Path(__file__).parents[1]
    text = README.read_text(encoding="utf-8")
    named = dict(re.findall(r"\*\*([A-Z])\*\* is\s+`([a-z0-9_/]+\.py)`", text))
    assert named
    sources = {letter: (folder / path).read_text(encoding="utf-8") for letter, path in named.items()}
    for name, cells in rows().items():
        for letter, test in re.findall(r"([A-Z]) `(test_[a-z_0-9]+)`", cells[5]):
            assert f"def {test}(" in sources[letter], (name, test)
        assert re.search(r"[A-Z]", cells[5]), name
        assert set(re.findall(r"\b([A-Z])\b", cells[5])) <= named.keys(), name


def test_the_reference_is_what_is_recorded() -> None:
    assert json.dumps(REFERENCE["request"]["body"]).count("<string>") == 5
