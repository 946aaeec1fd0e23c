"""What a project declares: read whole, and what would not run is refused by name."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.checkly import fixture
from tocsin.dialects.checkly.deploy import declared, json_out
from tocsin.dialects.checkly.deploy.plan import Here, plan
from tocsin.dialects.checkly.deploy.world import Known, World, resolved
from tocsin.dialects.checkly.problems import Refused
from tocsin.domain.deployment import Action, Binding, Deployment, Program, State, Step
from tocsin.domain.errors import InvalidArgument

NAMES = st.sampled_from(["type", "logicalId", "member", "physicalId", "payload", "name", "repoUrl", "check", "ref"])
PROJECT = {"logicalId": "shop", "name": "The shop"}


def check(logical_id="nightly", **payload):
    return {"type": "check", "logicalId": logical_id, "member": True, "payload": {"checkType": "HEARTBEAT", **payload}}


def resource(kind, logical_id, **more):
    return {"type": kind, "logicalId": logical_id, "member": True, "payload": {}, **more}


def read(*resources, **project):
    return declared.read({"project": {**PROJECT, **project}, "resources": list(resources)})


def refusal(*resources, **project):
    with pytest.raises(Refused) as raised:
        read(*resources, **project)
    assert raised.value.status == 400
    return raised.value.text


@pytest.mark.parametrize("name", ["cli-5.6.0-deploy-destroy", "cli-7.5.2-deploy-destroy", "cli-8.23.2-deploy"])
def test_what_the_cli_sends_is_read(name):
    (body,) = [one["body"] for one in fixture(name)["requests"] if "deploy" in one["path"] and one["body"]]
    found = declared.read(body)
    assert (found.namespace, found.name, found.source) == (
        *("tocsin-acceptance", "Tocsin Acceptance", "https://example.invalid/repo"),
    )
    assert [(one.type, one.logical_id) for one in found.resources] == [
        (one["type"], one["logicalId"]) for one in body["resources"]
    ]


def test_what_does_not_run_is_refused_each_by_its_name():
    text = refusal(
        check(),
        check("home", checkType="BROWSER"),
        check("api", checkType="API"),
        resource("dashboard", "wall"),
        resource("private-location", "dc1", member=False, physicalId="x", payload=None),
    )
    for part in (
        "check 'home': checks of the type BROWSER are not run here",
        "check 'api': checks of the type API are not run here",
        "dashboard 'wall': dashboard is not run here",
        "private-location 'dc1': private-location is not run here",
        "tocsin runs heartbeat checks, check groups, alert channels",
    ):
        assert part in text
    assert "nightly" not in text


def test_there_is_an_end_to_what_is_refused_by_name():
    text = refusal(*(check(f"b{number}", checkType="BROWSER") for number in range(150)))
    assert text.count("BROWSER") == 100
    assert "and 50 more" in text


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (check(""), "resources[0].logicalId"),
        (check("x" * 1_001), "resources[0].logicalId"),
        (check("a\0b"), "resources[0].logicalId"),
        (7, "resources[0]: must be an object"),
        ({"type": "check", "logicalId": "x"}, "resources[0].payload: is required"),
        ({**check(), "payload": []}, "resources[0].payload: must be an object"),
        ({**check(), "member": "yes"}, "resources[0].member"),
        ({**check(), "physicalId": True}, "resources[0].physicalId"),
        ({**check(), "member": False, "payload": None}, "resources[0].physicalId: is required"),
        ({**check(), "type": None}, "resources[0].type"),
    ],
)
def test_a_resource_that_is_none(wrong, part):
    assert part in refusal(wrong)


@pytest.mark.parametrize("name", ["", "x" * 201, "a/b", "deploy", None, 3])
def test_a_name_that_no_path_could_have(name):
    assert "project.logicalId" in refusal(logicalId=name)


def test_a_body_that_is_none():
    for body in ({}, {"project": [], "resources": {}}, {"project": PROJECT, "resources": [check()] * 50_001}):
        with pytest.raises(Refused) as raised:
            declared.read(body)
        assert raised.value.status == 400


def test_what_is_declared_twice():
    with pytest.raises(Refused) as raised:
        read(check(), check(), resource("check-group", "nightly"))
    assert raised.value.text == "check 'nightly': logicalId: is declared twice"
    assert raised.value.more["validation"]["keys"] == ["logicalId"]


# --- plans


def planned(resources, bound, there, *, preserve=False):
    found = plan(read(*resources).resources, bound, there, preserve=preserve)
    return found, [(step.logical_id, step.action.value, step.public) for step in found.steps()]


def test_what_is_there_is_changed_and_what_is_not_is_made():
    bound = [Binding("check", "a", "a-1"), Binding("check", "gone", "g"), Binding("check", "lost", "l")]
    there = {"check": {"a-1": Here("a", "uuid-a"), "g": Here("gone-2", "uuid-g")}}
    found, steps = planned([check("new"), check("a"), check("lost")], bound[:1] + bound[2:], there)
    assert steps == [("new", "CREATE", None), ("a", "UPDATE", "uuid-a"), ("lost", "CREATE", None)]
    assert [item.name for item in found.items] == ["", "a", ""]
    assert found.unbound == ()
    found, steps = planned([check("a")], bound, there)
    assert steps == [("a", "UPDATE", "uuid-a"), ("gone", "DELETE", "uuid-g")]
    assert found.removed == {"check": [Here("gone-2", "uuid-g")]}
    assert found.unbound == (bound[1], bound[2])


def test_what_is_preserved_belongs_to_nobody():
    found, steps = planned([], [Binding("check", "a", "a-1")], {"check": {"a-1": Here("a", "u")}}, preserve=True)
    assert steps == [("a", "DETACHED", "u")]
    assert found.removed == {}
    assert len(found.unbound) == 1


def test_what_a_project_only_speaks_of_is_no_step():
    speaks = resource("alert-channel", "alert-channel-5", member=False, physicalId=5, payload=None)
    assert planned([speaks], [], {})[1] == []


def test_groups_come_before_checks_before_subscriptions():
    kinds = ["alert-channel-subscription", "check", "alert-channel", "check-group", "maintenance-window"]
    found, _ = planned([resource(kind, "x") for kind in kinds], [], {})
    assert [item.declared.type for item in found.items] == list(declared.TYPES)


# --- references


def test_references_stand_for_what_is_known():
    world = World("shop")
    world.put("check-group", "g", Known("group-key", None))
    assert resolved(world, {"groupId": {"ref": "g"}, "name": "n"}) == {"groupId": None, "name": "n"}
    world.made("check-group", "g", 7)
    assert resolved(world, {"groupId": {"ref": "g"}}) == {"groupId": 7}
    assert resolved(world, {"groupId": 9, "checkId": None}) == {"groupId": 9, "checkId": None}
    for payload in ({"groupId": {"ref": "other"}}, {"checkId": {"ref": "g"}}, {"groupId": {"reference": "g"}}):
        with pytest.raises(InvalidArgument):
            resolved(world, payload)


# --- how they are shown


def test_a_deployment_is_shown_with_its_result_once_it_has_one():
    program = Program("id-1", "shop", "The shop", "", 1_700_000_000_000, 1_700_000_000_001)
    running = Deployment("d", 1, "shop", State.RUNNING, 40, create_time=1_700_000_000_000)
    shown = json_out.deployment_json(running)
    assert (shown["status"], shown["progress"], shown["result"], shown["error"]) == ("RUNNING", 40, None, None)
    step = Step("check", "a", Action.DETACH, "u")
    done = msgspec.structs.replace(running, state=State.SUCCEEDED, program=program, steps=(step,), end_time=1)
    shown = json_out.deployment_json(done)
    assert shown["result"]["diff"] == [{"logicalId": "a", "physicalId": "u", "type": "check", "action": "DETACHED"}]
    assert shown["result"]["project"]["updatedAt"] == "2023-11-14T22:13:20.001Z"
    assert shown["endedAt"] == "1970-01-01T00:00:00.001Z"
    failed = msgspec.structs.replace(done, state=State.FAILED, error_code="C", error="m")
    shown = json_out.deployment_json(failed)
    assert (shown["error"], shown["result"]) == ({"code": "C", "message": "m"}, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)


@given(project=JSON, resources=st.lists(st.dictionaries(NAMES, JSON, max_size=6) | JSON, max_size=5))
def test_anything_is_read_or_refused(project, resources):
    with contextlib.suppress(Refused):
        found = declared.read({"project": project, "resources": resources})
        assert found.namespace
