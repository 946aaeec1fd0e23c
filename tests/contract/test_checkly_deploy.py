"""Deployments by the API: what a project declares comes to be, all of it or nothing, and goes when it is declared no more."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.checkly import HEARTBEAT, Checkly
from support.server import Server

Resource = dict[str, Any]


class Project:
    """One program with a name of its own."""

    def __init__(self, checkly: Checkly) -> None:
        self.checkly = checkly
        self.name = f"p-{uuid.uuid4().hex[:12]}"
        self.path = f"/v1/projects/{self.name}"

    def body(self, *resources: Resource) -> dict[str, Any]:
        return {"project": {"logicalId": self.name, "name": "Project"}, "resources": list(resources), "repoInfo": None}

    def dry(self, *resources: Resource, query: str = "") -> list[tuple[str, str, Any]]:
        return _diff(self.checkly.ask("POST", f"/v1/projects/deploy?dryRun=true{query}", self.body(*resources)))

    def deploy(self, *resources: Resource, query: str = "") -> dict[str, Any]:
        """Public ids by logical id, of what there is afterwards."""
        begun = self.checkly.ask("POST", f"/v1/projects/deploy?dryRun=false{query}", self.body(*resources), status=202)
        assert begun["status"] in ("PENDING", "RUNNING")
        return self.end(begun)

    def end(self, begun: dict[str, Any]) -> dict[str, Any]:
        path = f"{self.path}/deployments/{begun['id']}/completion?maxWaitSeconds=30"
        while (answer := self.checkly.call("GET", path)).status == 408:
            pass  # the server waits, not we
        done = answer.json
        assert done["status"] == "SUCCEEDED", done
        return {
            one["logicalId"]: one["physicalId"]
            for one in done["result"]["diff"]
            if one["action"] in ("CREATE", "UPDATE")
        }

    def refused(self, *resources: Resource) -> str:
        for query in ("dryRun=true", "dryRun=false"):
            answer = self.checkly.refused("POST", f"/v1/projects/deploy?{query}", self.body(*resources))
            assert answer.status == 400
        assert self.checkly.call("GET", self.path).status == 404  # nothing came of it
        return str(answer.json["message"])

    def check(self, public: str) -> dict[str, Any]:
        found: dict[str, Any] = self.checkly.get(f"/v1/checks/{public}")
        return found


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


@pytest.fixture
def project(checkly: Checkly) -> Project:
    return Project(checkly)


def member(kind: str, logical_id: str, **payload: Any) -> Resource:
    return {"type": kind, "logicalId": logical_id, "member": True, "payload": payload}


def check(logical_id: str, **payload: Any) -> Resource:
    said = {"name": logical_id, "checkType": "HEARTBEAT", "heartbeat": HEARTBEAT, **payload}
    return member("check", logical_id, **said)


def group(logical_id: str, **payload: Any) -> Resource:
    return member("check-group", logical_id, **{"name": logical_id, **payload})


def email(logical_id: str, address: str = "ops@example.invalid", **payload: Any) -> Resource:
    return member("alert-channel", logical_id, type="EMAIL", config={"address": address}, **payload)


def told(channel: Any, *, activated: bool = True, **target: Any) -> Resource:
    (name,) = target
    payload = {"alertChannelId": channel, name: target[name], "activated": activated}
    return member("alert-channel-subscription", f"{name}#{target[name]}#{channel}", **payload)


def ref(logical_id: str) -> dict[str, str]:
    return {"ref": logical_id}


def test_a_dry_run_says_what_would_be_and_writes_nothing(project: Project) -> None:
    assert project.dry(check("a"), group("g")) == [("g", "CREATE", None), ("a", "CREATE", None)]
    assert project.checkly.call("GET", project.path).status == 404
    made = project.deploy(check("a"), group("g"))
    assert project.dry(check("a"), check("b")) == [
        ("a", "UPDATE", made["a"]),
        ("b", "CREATE", None),
        ("g", "DELETE", made["g"]),
    ]
    assert project.dry(check("a"), query="&preserveResources=true")[1] == ("g", "DETACHED", made["g"])


def test_what_is_said_once_more_changes_nothing(project: Project) -> None:
    resources = [
        check("a", groupId=ref("g"), tags=["x"], description="d"),
        group("g", tags=["cron"]),
        email("e"),
        told(ref("e"), checkId=ref("a")),
        member("maintenance-window", "w", name="w", startsAt="2030-01-01T00:00:00Z", endsAt="2030-01-01T02:00:00Z"),
    ]
    made = project.deploy(*resources)
    paths = [
        f"/v1/checks/{made['a']}",
        f"/v1/check-groups/{made['g']}",
        f"/v1/alert-channels/{made['e']}",
        f"/v1/maintenance-windows/{made['w']}",
    ]
    before = [project.checkly.get(path) for path in paths]
    assert all(one["updated_at"] is None for one in before)
    assert project.deploy(*resources) == made
    assert [project.checkly.get(path) for path in paths] == before


def test_what_is_not_said_any_more_is_the_default_again(project: Project) -> None:
    variable = {"key": "A", "value": "b"}
    made = project.deploy(
        check("a", groupId=ref("g"), tags=["x"], description="d", muted=True, activated=False),
        group("g", tags=["cron"], muted=True, concurrency=9, locations=["eu-west-1"], environmentVariables=[variable]),
        email("e", sendFailure=False),
    )
    assert project.deploy(check("a"), group("g"), email("e")) == made
    shown = project.check(made["a"])
    assert (shown["groupId"], shown["tags"], shown["description"]) == (None, [], None)
    assert (shown["muted"], shown["activated"]) == (False, True)
    shown = project.checkly.get(f"/v1/check-groups/{made['g']}")
    assert (shown["tags"], shown["muted"], shown["checks"]) == ([], False, [])
    assert (shown["concurrency"], shown["locations"], shown["environmentVariables"]) == (3, [], [])
    assert project.checkly.get(f"/v1/alert-channels/{made['e']}")["sendFailure"] is True


def test_nothing_of_a_check_stays_that_is_not_said_any_more(project: Project) -> None:
    plain = project.check(project.deploy(check("a"))["a"])
    more = {
        "intent": {"goal": "g"},
        "locations": ["us-east-1"],
        "groupOrder": 7,
        "environmentVariables": [{"key": "k", "value": "v"}],
        "frequency": 5,
        "maxResponseTime": 9,
    }
    changed = project.check(project.deploy(check("a", **more))["a"])
    assert changed["locations"] == ["us-east-1"]
    again = project.check(project.deploy(check("a"))["a"])
    assert {**again, "updated_at": None} == {**plain, "updated_at": None}


def test_nothing_of_a_group_stays_that_is_not_said_any_more(project: Project) -> None:
    def group(**payload: Any) -> dict[str, Any]:
        made = project.deploy(member("check-group", "g", name="g", **payload))["g"]
        found: dict[str, Any] = project.checkly.get(f"/v1/check-groups/{made}")
        return {**found, "updated_at": None}

    plain = group()
    more = {"environmentVariables": [{"key": "k", "value": "v"}], "concurrency": 9, "doubleCheck": False}
    changed = group(**more, locations=["us-east-1"], runtimeId="2024.02")
    assert changed["environmentVariables"]
    assert group() == plain


def test_references_may_point_forward_and_to_what_was_there(project: Project) -> None:
    there = project.checkly.ask(
        "POST", "/v1/alert-channels", {"type": "SMS", "config": {"name": "x", "number": "+15550001111"}}, status=201
    )
    spoken = {
        "type": "alert-channel",
        "logicalId": f"alert-channel-{there['id']}",
        "member": False,
        "physicalId": there["id"],
        "payload": None,
    }
    resources = [
        told(ref("e"), checkId=ref("a"), activated=False),
        told(ref(spoken["logicalId"]), groupId=ref("g")),
        told(there["id"], checkId=ref("a")),
        check("a", groupId=ref("g")),
        email("e"),
        group("g", v=2),
        spoken,
    ]
    made = project.deploy(*resources)
    shown = project.check(made["a"])
    assert shown["groupId"] == made["g"]
    assert {(one["alertChannelId"], one["activated"]) for one in shown["alertChannelSubscriptions"]} == {
        (made["e"], False),
        (there["id"], True),
    }
    grouped = project.checkly.get(f"/v1/check-groups/{made['g']}")
    assert grouped["useGlobalAlertSettings"] is None
    assert grouped["alertChannelSubscriptions"] == [{"alertChannelId": there["id"], "activated": True}]
    project.deploy(*resources[1:])
    assert [one["alertChannelId"] for one in project.check(made["a"])["alertChannelSubscriptions"]] == [there["id"]]
    project.checkly.ask("DELETE", f"{project.path}?preserveResources=false&dryRun=false", status=202)
    assert project.checkly.get(f"/v1/alert-channels/{there['id']}")["id"] == there["id"]


def test_a_group_that_is_off_turns_its_checks_off(project: Project) -> None:
    made = project.deploy(check("a", groupId=ref("g")), group("g", activated=False))
    listed = project.checkly.server.get(f"/v1/projects/{project.checkly.server.project_id}/monitors?pageSize=1000")
    uid = made["a"].replace("-", "")
    assert [one["inactive"] for one in listed["monitors"] if one["uid"] == uid] == [True]
    assert project.check(made["a"])["activated"] is True


def test_another_logical_id_is_another_check(project: Project) -> None:
    made = project.deploy(check("a"))
    before = project.check(made["a"])
    after = project.deploy(check("b", name="a"))
    assert after.keys() == {"b"}
    assert project.checkly.call("GET", f"/v1/checks/{made['a']}").status == 404
    assert project.check(after["b"])["heartbeat"]["pingUrl"] != before["heartbeat"]["pingUrl"]


def test_a_check_that_somebody_deleted_is_made_again(project: Project) -> None:
    made = project.deploy(check("a"), check("b"), email("e"))
    project.checkly.ask("DELETE", f"/v1/checks/{made['a']}", status=204)
    project.checkly.ask("DELETE", f"/v1/alert-channels/{made['e']}", status=204)
    again = project.deploy(check("a"), check("b"), email("e"), told(ref("e"), checkId=ref("a")))
    assert (again["b"], again["a"] == made["a"], again["e"] == made["e"]) == (made["b"], False, False)


def test_what_came_later_under_the_same_name_is_not_taken_for_it(project: Project) -> None:
    name = f"n-{uuid.uuid4().hex[:10]}"
    made = project.deploy(check(name))
    project.checkly.ask("DELETE", f"/v1/checks/{made[name]}", status=204)
    later = project.checkly.create(name=name)
    assert project.check(later["id"])["project"] is None
    again = project.deploy(check(name))
    assert again[name] not in (made[name], later["id"])
    project.checkly.ask("DELETE", f"/next/projects/{project.name}")
    assert project.check(later["id"])["name"] == name


def test_what_has_another_owner_is_not_taken_over(project: Project, checkly: Checkly) -> None:
    name = f"n-{uuid.uuid4().hex[:10]}"
    checkly.server.create_monitor(name)
    other = Project(checkly)
    first, second = project.deploy(check(name)), other.deploy(check(name))
    assert first[name] != second[name]
    for found, owner in ((first, project), (second, other)):
        shown = project.check(found[name])
        assert (shown["project"]["logicalId"], shown["logicalId"], shown["member"]) == (owner.name, name, True)
        binding = checkly.get(f"/v3/checks/{found[name]}")["projectBindings"]["owner"]
        assert (binding["project"]["logicalId"], binding["binding"]) == (
            owner.name,
            {"logicalId": name, "pending": False},
        )
    assert checkly.server.get(checkly.server.monitor_path(name))["origin"] == "native"
    checkly.ask("DELETE", f"{project.path}?preserveResources=false&dryRun=false", status=202)
    assert other.check(second[name])["name"] == name


def test_all_that_is_wrong_is_told_and_nothing_is_written(project: Project) -> None:
    text = project.refused(
        check("fine"),
        check("short", heartbeat={**HEARTBEAT, "period": 1, "periodUnit": "seconds"}),
        check("nameless", name=""),
        group("g", alertSettings={"escalationType": "NEVER"}),
        email("e", address="nobody"),
        member("maintenance-window", "w", name="w"),
        check("lost", groupId=ref("nobody")),
        told(ref("missing"), checkId=ref("fine")),
    )
    for part in (
        "check 'lost': groupId: the project declares no check-group 'nobody'",
        "alertChannelId: the project declares no alert-channel 'missing'",
        "check 'short': heartbeat.period",
        "check 'nameless': name",
        "check-group 'g': alertSettings",
        "alert-channel 'e': config.address",
        "maintenance-window 'w'",
    ):
        assert part in text
    assert "check 'fine'" not in text
    assert project.checkly.get("/v1/checks?search=nameless") == []


@pytest.mark.parametrize(
    ("resource", "part"),
    [
        (told(7_777_777, checkId=str(uuid.uuid4())), "there is no check"),
        (told(7_777_777, groupId=7_777_777), "there is no check-group"),
        (member("alert-channel-subscription", "s", alertChannelId=1), "name a checkId or a groupId"),
        (check("a", groupId=7_777_777), "groupId: there is no group 7777777"),
        (check("a", groupId={"of": "g"}), "groupId"),
        (check("a", heartbeat=None), "heartbeat"),
        (
            {"type": "check", "logicalId": "x", "member": False, "physicalId": str(uuid.uuid4()), "payload": None},
            "there is no check",
        ),
    ],
)
def test_what_cannot_be_is_refused(project: Project, resource: Resource, part: str) -> None:
    assert part in project.refused(resource)


def test_a_deployment_can_be_followed(project: Project) -> None:
    begun = project.checkly.ask("POST", "/v1/projects/deploy", project.body(check("a")), status=202)
    path = f"{project.path}/deployments/{begun['id']}"
    stream = project.checkly.call("GET", f"{path}/events", accept="text/event-stream")
    last = stream.text[:-2].split("\n\n")[-1].split("\n")
    assert last[0] == "event: complete"
    done = json.loads(last[1].removeprefix("data: "))
    assert (done["status"], done["progress"], done["error"], done["cancelRequestedAt"]) == (
        "SUCCEEDED",
        100,
        None,
        None,
    )
    assert done["createdAt"] <= done["startedAt"] <= done["endedAt"]
    assert done["result"]["project"]["logicalId"] == project.name
    for found in (
        project.checkly.get(path),
        project.checkly.get(f"{path}/completion?maxWaitSeconds=0"),
        project.checkly.ask("POST", f"{path}/cancel"),
    ):
        assert found == done
    for wrong in (f"{project.path}/deployments/{uuid.uuid4()}", f"/v1/projects/other/deployments/{begun['id']}"):
        assert project.checkly.refused("GET", wrong).status == 404
        assert project.checkly.refused("GET", f"{wrong}/events").status == 404
        assert project.checkly.refused("POST", f"{wrong}/cancel").status == 404
    assert project.checkly.refused("GET", f"{path}/completion?maxWaitSeconds=900").status == 400


def test_many_checks_and_a_second_deployment_meanwhile(project: Project) -> None:
    resources = [check(f"c{number}") for number in range(1_000)]
    body = project.body(*resources)
    begun = project.checkly.ask("POST", "/v1/projects/deploy?dryRun=false", body, status=202)
    answer = project.checkly.call("POST", "/v1/projects/deploy?dryRun=false", project.body(check("c0")))
    if answer.status == 409:  # it was still going on
        assert answer.json["deploymentId"] == begun["id"]
        assert answer.json.keys() >= {"statusCode", "error", "message"}
        assert len(project.end(begun)) == 1_000
        answer = project.checkly.call("POST", "/v1/projects/deploy?dryRun=false", project.body(check("c0")))
    assert answer.status == 202
    assert project.end(answer.json).keys() == {"c0"}


def test_projects_are_listed_and_go(project: Project) -> None:
    project.deploy(check("a"))
    shown = project.checkly.get(project.path)
    assert (shown["logicalId"], shown["name"], shown["repoUrl"]) == (project.name, "Project", None)
    assert project.checkly.get(f"/v1/projects/{shown['id']}") == shown
    assert project.checkly.get(f"/next/projects/{project.name}") == shown
    page = project.checkly.call("GET", "/v1/projects?limit=1&page=1")
    assert page.status == 200
    assert len(page.json) == 1
    assert page.headers["content-range"].startswith("0-0/")
    total = int(page.headers["content-range"].rpartition("/")[2])
    assert shown in project.checkly.get(f"/v1/projects?limit=100&page={-(-total // 100)}")
    gone = project.checkly.ask("DELETE", f"{project.path}?dryRun=true")
    assert _diff(gone)[0][:2] == ("a", "DELETE")
    begun = project.checkly.ask("DELETE", f"{project.path}?preserveResources=true", status=202)
    project.end(begun)
    assert project.checkly.refused("GET", project.path).status == 404
    again = project.checkly.ask("DELETE", project.path)
    assert "status" not in again
    assert project.checkly.refused("DELETE", f"/next/projects/{project.name}").status == 404


def test_the_older_calls_answer_when_they_are_done(project: Project) -> None:
    found = project.checkly.ask("POST", "/next-v2/projects/deploy?dryRun=false", project.body(check("a")))
    ((name, action, public),) = _diff(found)
    assert (name, action) == ("a", "CREATE")
    assert project.check(public)["name"] == "a"
    dry = project.checkly.ask("POST", "/next-v2/projects/deploy?dryRun=true", project.body())
    assert _diff(dry) == [("a", "DELETE", public)]
    gone = project.checkly.ask("DELETE", f"/next/projects/{project.name}")
    assert _diff(gone) == [("a", "DELETE", public)]
    assert project.checkly.call("GET", f"/v1/checks/{public}").status == 404
    assert "key" in project.checkly.ask("POST", "/next/checkly-storage/upload-code-bundle", b"PK")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"project": {}, "resources": [[]]}', b"\x1f\x8b"])
def test_bodies_that_are_none(checkly: Checkly, body: bytes) -> None:
    for path in ("/v1/projects/deploy", "/next-v2/projects/deploy"):
        assert checkly.refused("POST", path, body).status == 400


def test_other_methods_and_flags(project: Project) -> None:
    for method, path in (("PUT", project.path), ("GET", "/v1/projects/deploy"), ("POST", "/v1/projects")):
        assert project.checkly.refused(method, path).status in (404, 405)
    assert project.checkly.refused("POST", "/v1/projects/deploy?dryRun=perhaps", project.body()).status == 400


def _diff(result: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return [(one["logicalId"], one["action"], one["physicalId"]) for one in result["diff"]]


def test_projects_deployed_at_the_same_time_share_nothing(checkly: Checkly) -> None:
    """Four that declare the same logical ids, each with an address of its own."""
    projects = [Project(checkly) for _ in range(4)]

    def deploy(project: Project) -> dict[str, Any]:
        return project.deploy(
            check("a", groupId=ref("g")),
            group("g"),
            email("e", f"{project.name}@example.invalid"),
            told(ref("e"), checkId=ref("a")),
            member("maintenance-window", "w", name="w", startsAt="2030-01-01T00:00:00Z", endsAt="2030-01-01T02:00:00Z"),
        )

    with ThreadPoolExecutor(len(projects)) as pool:
        made = list(pool.map(deploy, projects))
    for logical_id in made[0]:
        assert len({one[logical_id] for one in made}) == len(projects), logical_id
    checkly.ask("DELETE", f"/next/projects/{projects[0].name}")
    for project, one in zip(projects[1:], made[1:], strict=True):
        shown = checkly.get(f"/v1/alert-channels/{one['e']}")
        assert shown["config"]["address"] == f"{project.name}@example.invalid"
        assert checkly.get(f"/v1/maintenance-windows/{one['w']}")["name"] == "w"
        assert project.check(one["a"])["groupId"] == one["g"]


def test_a_subscription_that_two_declare_goes_with_the_last_of_them(checkly: Checkly) -> None:
    owner, *others = [Project(checkly) for _ in range(3)]
    made = owner.deploy(check("a"), email("e"))
    spoken = [
        {"type": "check", "logicalId": "a", "member": False, "physicalId": made["a"], "payload": None},
        {"type": "alert-channel", "logicalId": "e", "member": False, "physicalId": made["e"], "payload": None},
    ]
    for project in others:
        project.deploy(*spoken, told(ref("e"), checkId=ref("a")))
    for project, left in zip(others, (1, 0), strict=True):
        checkly.ask("DELETE", f"/next/projects/{project.name}")
        assert len(owner.check(made["a"])["alertChannelSubscriptions"]) == left


def test_a_subscription_under_another_logical_id_stays(project: Project) -> None:
    once = told(ref("e"), checkId=ref("a"))
    made = project.deploy(check("a"), email("e"), once)
    project.deploy(check("a"), email("e"), {**once, "logicalId": "another"})
    assert len(project.check(made["a"])["alertChannelSubscriptions"]) == 1
