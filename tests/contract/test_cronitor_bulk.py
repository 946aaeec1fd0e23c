"""Many monitors at once over Cronitor's API: forms and their answers, all or none, YAML, lists, search, clone, pause."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from support.answering import Asked, answering, status
from support.cronitor import Cronitor
from support.server import Server


@pytest.fixture
def cronitor(server: Server) -> Cronitor:
    return Cronitor(server)


@pytest.fixture
def key() -> str:
    return f"b-{uuid.uuid4().hex[:10]}"


def names(answer: Any) -> list[str]:
    return [monitor["key"] for monitor in answer["monitors"]]


def test_each_form_is_answered_in_the_same_form_and_order(cronitor: Cronitor, key: str) -> None:
    bodies = [{"key": f"{key}-{number}", "type": "job"} for number in (3, 1, 2)]
    wanted = [body["key"] for body in bodies]
    array = cronitor.call("PUT", "/api/monitors", bodies)
    assert [monitor["key"] for monitor in array.json] == wanted
    whole = cronitor.call("PUT", "/api/monitors", {"monitors": bodies, "rollback": False})
    assert names(whole.json) == wanted
    text = "jobs:\n" + "".join(f"  {body['key']}:\n" for body in bodies)
    for headers in ({"Content_Type": "application/yaml"}, {"Content_Type": "application/json"}, {}):
        answer = cronitor.call("PUT", "/api/monitors", text.encode(), **headers)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/yaml")
        assert list(yaml.safe_load(answer.text)["jobs"]) == wanted
    assert cronitor.call("PUT", "/api/monitors", []).json == []


def test_of_two_with_one_key_the_last_one_wins(cronitor: Cronitor, key: str) -> None:
    found = cronitor.put({"key": key, "type": "job", "note": "first"}, {"key": key, "type": "job", "name": "second"})
    assert [(monitor["note"], monitor["name"]) for monitor in found] == [(None, "second")] * 2


def test_a_rollback_answers_as_a_save_and_keeps_nothing(cronitor: Cronitor, key: str) -> None:
    body = {"monitors": [{"key": key, "type": "job", "schedule": "at 9:00"}], "rollback": True}
    answer = cronitor.call("PUT", "/api/monitors", body)
    assert answer.status == 200
    assert answer.json["monitors"][0]["schedule"] == "at 9:00"
    assert cronitor.call("GET", f"/api/monitors/{key}").status == 404
    cronitor.put({"key": key, "type": "job", "note": "kept"})
    body["monitors"][0]["note"] = "tried"
    assert cronitor.call("PUT", "/api/monitors", body).json["monitors"][0]["note"] == "tried"
    found = cronitor.get(f"/api/monitors/{key}")
    assert (found["note"], found["schedule"]) == ("kept", None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "neither JSON nor YAML"),
        (b"{", "neither JSON nor YAML"),
        (b"3", "an array of monitors"),
        (b'{"monitor": []}', "monitors: required"),
        (b'{"monitors": [], "rollback": "yes"}', "rollback: must be true or false"),
        (b'[{"type": "job"}]', "key: required"),
        (b'["x"]', "must be a hash"),
        (b"[" * 5_000, "neither JSON nor YAML"),
        (b'[{"key": "\xff"}]', "neither JSON nor YAML"),
        (b"jobs: [\n", "line 2"),
        (b"jobs:\n  a: {schedule: &x at 9:00}\n  b: {schedule: *x}\n", "aliases are not taken"),
        (b"jobs:\n  a:\n    name: x\n    name: y\n", "'name' is there twice (line 4)"),
        (b"monitors:\n  a:\n", "neither JSON nor YAML"),
        (b"jobs: 3\n", "jobs: must be a mapping"),
        (b"jobs:\n  a: at 9:00\n", "a mapping of attributes"),
        (b"sites:\n  a: {}\n", "not served here"),
        (b"jobs: !!python/object:os.system {}\n", "tag"),
        (b"jobs:\n" + b"\n".join(b" " * depth + b"a:" for depth in range(1, 60)), "nested deeper"),
    ],
)
def test_bodies_that_cannot_be_read(cronitor: Cronitor, body: bytes, words: str) -> None:
    answer = cronitor.call("PUT", "/api/monitors", body)
    assert answer.status == 400
    assert words in answer.json["error"], answer.json["error"]


def test_an_alias_bomb_of_300_kb_is_refused_at_once(cronitor: Cronitor) -> None:
    lines = ["jobs:", "  a0: &a0 {metadata: {x: " + "y" * 300_000 + "}}"]
    lines += [f"  a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    answer = cronitor.call("PUT", "/api/monitors.yaml", "\n".join(lines).encode())
    assert answer.status == 400
    assert "aliases are not taken" in answer.json["error"]


YAML = """
# what a person writes
jobs:
  {key}-nightly:
    schedule: 0 0 * * *
    assertions:
      - metric.duration < 5 minutes
  {key}-empty:
check:
  {key}-home:
    request: {{url: 'https://example.com', regions: [us-east-1]}}
heartbeats:
  - key: {key}-deploy
    notify: {{alerts: [default], events: true}}
    schedule: 14:30
  - key: {key}-plain
    name: 007
    tags: ["1e3", 0o14, yes, 1.10]
    grace_seconds: 0x10
rollback: false
"""


def test_yaml_means_what_a_person_means(cronitor: Cronitor, key: str) -> None:
    answer = cronitor.call("PUT", "/api/monitors.yaml", YAML.format(key=key).encode())
    assert answer.status == 200, answer
    found = yaml.safe_load(answer.text)
    assert {section: len(content) for section, content in found.items()} == {"jobs": 2, "checks": 1, "heartbeats": 2}
    deploy = cronitor.get(f"/api/monitors/{key}-deploy")
    assert (deploy["schedule"], deploy["type"]) == ("14:30", "heartbeat")
    plain = cronitor.get(f"/api/monitors/{key}-plain")
    assert (plain["name"], plain["tags"]) == ("007", ["1e3", "0o14", "yes", "1.10"])
    assert plain["grace_seconds"] == 16


def test_export_and_import_are_the_identity(cronitor: Cronitor, key: str) -> None:
    odd = {
        "a: b": ["yes", "14:30", "1e3", "0o7", "~", "null", "", " x ", "line\nbreak", "é", "#c"],
        "n": [1, -2.5, None],
    }
    cronitor.put(
        {"key": f"{key}-1", "type": "job", "schedules": ["at 9:00", "every 5 min"], "metadata": odd, "paused": True},
        {"key": f"{key} two: é", "type": "heartbeat", "grace_seconds": 30, "notify": {"alerts": ["default"]}},
        {"key": f"{key}-3", "type": "check", "request": {"url": "https://example.com"}, "tags": [key]},
    )
    exported = cronitor.call("GET", f"/api/monitors.yaml?search={key}")
    assert exported.headers["content-type"] == "application/yaml"
    before = cronitor.get(f"/api/monitors?search={key}")["monitors"]
    assert cronitor.call("PUT", "/api/monitors.yaml", exported.content).status == 200
    assert cronitor.get(f"/api/monitors?search={key}")["monitors"] == before
    revisions = [cronitor.server.get(f"/v1/projects/1/monitors/{key}-1")["etag"]]
    cronitor.call("PUT", "/api/monitors.yaml", exported.content)
    assert [cronitor.server.get(f"/v1/projects/1/monitors/{key}-1")["etag"]] == revisions
    assert cronitor.call("GET", f"/api/monitors?format=yaml&search={key}").content == exported.content


def test_pages_of_an_export_are_one_text_when_joined(cronitor: Cronitor, key: str) -> None:
    cronitor.put(*({"key": f"{key}-{number}", "type": "job"} for number in range(4)))
    pages = [
        cronitor.call("GET", f"/api/monitors?format=yaml&search={key}&page={page}&pageSize=2").text for page in (1, 2)
    ]
    assert [len(yaml.safe_load(page)["jobs"]) for page in pages] == [2, 2]
    assert cronitor.call("PUT", "/api/monitors", "".join(pages).encode()).status == 200


def test_an_empty_export_is_yaml_and_no_json(cronitor: Cronitor) -> None:
    text = cronitor.call("GET", "/api/monitors.yaml?search=nothing-is-called-so").text
    assert text == "jobs: {}\nchecks: {}\nheartbeats: {}\n"


def test_a_list_is_turned_by_pages(cronitor: Cronitor, key: str) -> None:
    cronitor.put(*({"key": f"{key}-{number}", "type": "job", "tags": [key]} for number in range(5)))
    found = [cronitor.get(f"/api/monitors?tag={key}&pageSize=2&page={page}") for page in (1, 2, 3, 4)]
    assert [names(page) for page in found] == [[f"{key}-0", f"{key}-1"], [f"{key}-2", f"{key}-3"], [f"{key}-4"], []]
    assert {page["total_monitor_count"] for page in found} == {5}
    assert [page["page_info"]["page"] for page in found] == [1, 2, 3, 4]
    assert cronitor.get(f"/api/monitors?tag={key}&pageSize=100000")["page_size"] == 1000
    for query in ("page=0", "page=x", "pageSize=-1", "sort=colour", "state=sad", "type=site"):
        assert cronitor.call("GET", f"/api/monitors?{query}").status == 400


def test_a_list_is_narrowed_and_sorted(cronitor: Cronitor, key: str) -> None:
    check = {"request": {"url": "https://example.com"}}
    cronitor.put(
        {"key": f"{key}-1", "type": "job", "tags": [key, "red"], "name": "Zebra", "group": f"g-{key}"},
        {"key": f"{key}-2", "type": "heartbeat", "tags": [key, "blue"], "name": "apple"},
        {"key": f"{key}-3", "type": "check", "tags": [key, "Red"], "name": "Middle", **check},
        {"key": f"{key} Four", "type": "job", "tags": [key], "paused": True},
    )
    cronitor.ping(f"{key}-1?state=fail")
    cronitor.ping(f"{key}-2?env=staging-{key}")

    def of(query: str) -> list[str]:
        found = names(
            cronitor.get(f"/api/monitors?tag={key}&{query}" if "tag=" not in query else f"/api/monitors?{query}")
        )
        return [name.removeprefix(key).strip("- ") for name in found]

    assert of("type=job") == ["1", "Four"]
    assert of("type=check,event") == ["2", "3"]
    assert of("type=check&type=job") == ["1", "3", "Four"]
    assert of(f"tag=red&search={key}") == ["1", "3"]
    assert of("state=failing") == ["1"]
    assert of("state=paused,failing") == ["1", "Four"]
    assert of("state=passing") == ["2", "3"]
    assert of(f"group=g-{key}") == ["1"]
    assert of(f"env=staging-{key}") == ["2"]
    assert of("search=ZEB") == ["1"]
    assert of("search=four") == ["Four"]
    assert of("sort=name") == ["2", "Four", "3", "1"]
    assert of("sort=-created") == ["Four", "3", "2", "1"]
    assert names(cronitor.get(f"/api/search?query=job:{key}")) == [f"{key}-1", f"{key} Four"]
    assert names(cronitor.get(f"/api/search?q=tag:{key}")) == [f"{key}-1", f"{key}-2", f"{key}-3", f"{key} Four"]
    assert names(cronitor.get(f"/api/search?query=group:g-{key}")) == [f"{key}-1"]
    assert len(names(cronitor.get(f"/api/search?query=ungrouped:{key}"))) == 3
    assert len(names(cronitor.get(f"/api/search?query={key}"))) == 4


@pytest.mark.parametrize(
    "name", ["Cronitor Homepage", "100% sure", "a+b", "naïve-日本", "store", "envelope", "clone", "é;x?y"]
)
def test_odd_keys_work_everywhere(cronitor: Cronitor, key: str, name: str) -> None:
    wanted = name if name in ("store", "envelope", "clone") else f"{name} {key}"
    cronitor.put({"key": wanted, "type": "job"})
    path = f"/api/monitors/{quote(wanted)}"
    assert cronitor.get(path)["key"] == wanted
    cronitor.ping(f"{quote(wanted)}?state=complete")
    assert cronitor.get(path)["latest_event"]["event"] == "complete"
    assert cronitor.get(f"{path}/pause/1")["paused"]
    assert cronitor.call("PUT", path, {"note": "n"}).json["note"] == "n"
    assert cronitor.call("DELETE", path).status == 204
    assert cronitor.call("DELETE", path).status == 404


def test_a_code_is_taken_wherever_a_key_is(cronitor: Cronitor, key: str) -> None:
    (made,) = cronitor.put({"key": key, "type": "job"})
    code = made["attributes"]["code"]
    assert re.fullmatch("[0-9a-z]{6}", code)
    assert cronitor.get(f"/api/monitors/{code}")["key"] == key
    (again,) = cronitor.put({"key": code, "code": code, "name": "By code"})
    assert (again["key"], again["attributes"]["key"], again["name"]) == (key, code, "By code")
    assert cronitor.put({"code": code, "note": "n"})[0]["key"] == key
    cronitor.ping(f"{code}?state=complete")
    assert cronitor.get(f"/api/monitors/{key}")["latest_event"]["event"] == "complete"
    assert cronitor.call("PUT", f"/api/monitors/{code}", {"key": key, "note": "m"}).status == 200
    assert cronitor.call("DELETE", "/api/monitors", {"monitors": [code]}).json["deleted_count"] == 1


def test_one_monitor_is_made_changed_and_deleted(cronitor: Cronitor, key: str) -> None:
    body = {"key": key, "type": "job", "schedule": "0 0 * * *"}
    assert cronitor.call("POST", "/api/monitors", body).status == 201
    assert cronitor.call("POST", "/api/monitors", {**body, "note": "again"}).status == 201
    made = cronitor.call("POST", "/api/monitors", {"key": "", "type": "job", "name": "No key"})
    assert made.status == 201
    assert re.fullmatch("[0-9a-f]{8}", made.json["key"])
    changed = cronitor.call("PUT", f"/api/monitors/{key}", {"schedule": "0 1 * * *"})
    assert (changed.status, changed.json["schedule"], changed.json["note"]) == (200, "0 1 * * *", "again")
    assert cronitor.call("PUT", f"/api/monitors/{key}", {"key": "another"}).json["errors"][0]["field"] == "key"
    assert cronitor.call("PUT", f"/api/monitors/{key}-no", {"note": "x"}).status == 404
    assert cronitor.call("PATCH", f"/api/monitors/{key}", {}).status == 405
    assert cronitor.call("DELETE", f"/api/monitors/{key}/").status == 204
    answer = cronitor.call("DELETE", "/api/monitors", {"monitors": [key, made.json["key"]]})
    assert answer.json == {"deleted_count": 1, "requested_count": 2, "errors": {"missing": [key]}}
    assert cronitor.call("DELETE", "/api/monitors", {"monitors": "x"}).status == 400


def test_a_clone_has_the_configuration_and_no_history(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job", "schedule": "at 9:00", "tags": ["x"]})
    cronitor.ping(f"{key}?state=fail")
    answer = cronitor.call("POST", "/api/monitors/clone", {"monitor_key": key})
    assert answer.status == 201
    copy = answer.json
    assert (copy["name"], copy["schedule"], copy["tags"]) == (f"{key} (copy)", "at 9:00", ["x"])
    assert copy["key"] != key
    assert not copy["initialized"]
    assert cronitor.call("POST", "/api/monitors/clone", {"key": copy["key"], "name": "Mine"}).json["name"] == "Mine"
    assert cronitor.call("POST", "/api/monitors/clone", {"key": "nothing-here"}).status == 404
    assert cronitor.call("POST", "/api/monitors/clone", {}).status == 400


def test_pauses(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job"})
    for method, path, paused in (
        ("GET", "pause", True),
        ("GET", "pause/0", False),
        ("POST", "pause/24", True),
        ("POST", "pause/0", False),
    ):
        answer = cronitor.call(method, f"/api/monitors/{key}/{path}")
        assert (answer.status, answer.json["paused"]) == (200, paused)
    for hours in ("-1", "x", "1.5", "99999999"):
        assert cronitor.call("GET", f"/api/monitors/{key}/pause/{hours}").status == 400
    found = cronitor.get(f"/api/monitors/{key}/pause/24")
    assert found["paused"]
    native = cronitor.server.get(cronitor.server.monitor_path(key))
    assert native["muted"]
    assert "muteExpireTime" in native


def test_a_batch_that_is_answered_at_once(cronitor: Cronitor, key: str) -> None:
    body: dict[str, Any] = {"monitors": [{"key": key, "type": "job"}], "async": True}
    answer = cronitor.call("PUT", "/api/monitors", body)
    assert answer.status == 202
    assert set(answer.json) == {"batch_key"}
    text = f"jobs:\n  {key}-2:\nasync: true\n"
    answer = cronitor.call("PUT", "/api/monitors.yaml", text.encode())
    assert (answer.status, list(yaml.safe_load(answer.text))) == (202, ["batch_key"])
    body["webhook_url"] = "ftp://example.com/"
    assert cronitor.call("PUT", "/api/monitors", body).json["errors"][0]["field"] == "webhook_url"
    while cronitor.call("GET", f"/api/monitors/{key}-2").status != 200:
        pass  # it is under way; the test's time-out is the bound


async def test_the_result_of_a_batch_is_told(new_server: Callable[..., Server], key: str) -> None:
    """To an address that the guard allows."""
    server = new_server(environment={"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8"})
    await asyncio.to_thread(server.start)
    cronitor = Cronitor(server)
    heard: asyncio.Queue[Asked] = asyncio.Queue()

    async def hear(asked: Asked, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(asked)
        writer.write(status(204))
        await writer.drain()

    async with answering(hook=hear) as listener:
        for schedule in ("at 9:00", "every five"):
            body = {
                "async": True,
                "webhook_url": listener.url("/hook"),
                "monitors": [{"key": key, "type": "job", "schedule": schedule}],
            }
            accepted = await asyncio.to_thread(cronitor.call, "PUT", "/api/monitors", body)
            asked = await heard.get()
            told = json.loads(asked.body)
            assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
            assert told["batch_key"] == accepted.json["batch_key"]
            if schedule == "at 9:00":
                assert (told["status"], told["monitors"], told["errors"]) == ("complete", [key], [])
            else:
                assert (told["status"], told["monitors"]) == ("failed", [])
                assert told["errors"][0]["field"] == "schedule"


def test_of_partial_updates_at_the_same_time_none_is_lost(cronitor: Cronitor, key: str) -> None:
    """What is written is made of what was read, so who comes in between is read again."""
    cronitor.put({"key": key, "type": "job"})
    changes = {"note": "n", "tags": ["t"], "metadata": {"m": 1}, "platform": "windows", "defaultName": "d"}
    with ThreadPoolExecutor(len(changes)) as threads:
        bodies = [{"key": key, name: value} for name, value in changes.items()]
        answers = list(threads.map(lambda body: cronitor.call("PUT", "/api/monitors", [body]).status, bodies))
    assert answers == [200] * len(changes)
    found = cronitor.get(f"/api/monitors/{key}")
    assert {name: found[name] for name in changes} == changes


def test_a_group_is_made_when_it_is_named(cronitor: Cronitor, key: str) -> None:
    (found,) = cronitor.put({"key": key, "type": "job", "group": f"Group {key}"})
    assert found["attributes"]["group_name"] == f"Group {key}"
    groups = cronitor.server.get(f"/v1/projects/{cronitor.server.project_id}/groups?pageSize=1000")["groups"]
    assert f"Group {key}" in [group["displayName"] for group in groups]
    assert cronitor.put({"key": key, "group": ""})[0]["group"] is None


@pytest.mark.slow
def test_ten_thousand_monitors_in_one_request(cronitor: Cronitor, key: str) -> None:
    bodies = [
        {"key": f"{key}-{number}", "type": "job", "schedule": f"{number % 60} * * * *", "tags": [key]}
        for number in range(10_000)
    ]
    answer = cronitor.call("PUT", "/api/monitors", bodies)
    assert answer.status == 200
    assert [monitor["key"] for monitor in answer.json] == [body["key"] for body in bodies]
    assert cronitor.get(f"/api/monitors?tag={key}&pageSize=1")["total_monitor_count"] == 10_000
    bodies[7_777]["schedule"] = "every five"
    assert cronitor.call("PUT", "/api/monitors", bodies).json["errors"][0]["key"] == f"{key}-7777"
    log = cronitor.server.log.read_text()
    assert all(f'"done": {done}' in log for done in (1_000, 5_000, 10_000))
    answer = cronitor.call("DELETE", "/api/monitors", {"monitors": [body["key"] for body in bodies]})
    assert answer.json["deleted_count"] == 10_000
    assert json.loads(answer.content)["errors"]["missing"] == []
