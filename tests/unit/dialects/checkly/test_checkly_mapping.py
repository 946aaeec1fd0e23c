"""What attributes of a check come to in the domain: the same attributes again are the same monitor."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.checkly.checks import mapping, schema
from tocsin.dialects.checkly.checks.check_json import View, check_json, written_json
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.group import Group
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER
from tocsin.domain.monitor import AlertPolicy, Escalation, Kind, Monitor
from tocsin.domain.schedule import Cron, Rolling

NOW, TOKEN, OTHER = 1_700_000_000_000, "a" * 32, "b" * 32
BLANK = Monitor(0, 1, "job", "c" * 32)
BEAT = {"period": 1, "periodUnit": "hours", "grace": 10, "graceUnit": "minutes"}
ON, OFF = Group(1, 1, "on"), Group(2, 1, "off", inactive=True)


def said(**body):
    problems = Problems()
    found = schema.read(body, problems)
    assert problems.found == []
    return found


def made(group=None, **body):
    planned = mapping.plan(said(name="n", heartbeat=BEAT, **body), None, None, group, NOW, token=TOKEN)
    return planned.change.apply(BLANK, NOW)


def changed(monitor, former=None, group=None, **body):
    planned = mapping.plan(said(**body), monitor, former, group, NOW, token=OTHER)
    return planned.change.apply(monitor, NOW + 1)


def test_a_new_check():
    found = made()
    assert found.policy.schedules == (Rolling(HOUR),)
    tolerance = found.policy.tolerance
    assert (found.policy.kind, tolerance.margin_ms, tolerance.max_runtime_ms) == (Kind.HEARTBEAT, 10 * MINUTE, 0)
    assert (tolerance.failure_threshold, tolerance.recovery_threshold, tolerance.alert_delay_ms) == (1, 1, 0)
    assert found.alert_policy == AlertPolicy(escalation=Escalation(), project_escalation=True)
    assert (found.inactive, found.muted_until, found.ping_token) == (False, None, TOKEN)
    assert (found.display_name, found.origin, found.written_by) == ("n", BLANK.origin, "checkly")
    assert mapping.is_check(found)


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["n", "other"]),
        "heartbeat": st.sampled_from([BEAT, {**BEAT, "period": 60, "periodUnit": "minutes"}, {**BEAT, "grace": 0}]),
        "activated": st.booleans(),
        "muted": st.booleans(),
        "tags": st.sampled_from([[], ["a"], ["a", "b"]]),
        "description": st.sampled_from([None, "d"]),
        "alertSettings": st.sampled_from([None, {}, {"reminders": {"amount": 1}}, {"escalationType": "TIME_BASED"}]),
        "useGlobalAlertSettings": st.booleans(),
        "groupId": st.sampled_from([None, 1, 2]),
        "groupOrder": st.sampled_from([None, 1, 1.5]),
        "locations": st.sampled_from([None, [], ["us-east-1"]]),
        "environmentVariables": st.sampled_from([None, [{"key": "K", "value": "v"}]]),
    },
)


@given(first=BODIES, second=BODIES)
def test_the_same_again_is_the_same_object(first, second):
    groups = {None: None, 1: ON, 2: OFF}
    start = groups[first.get("groupId")]
    before = made(start, **{name: value for name, value in first.items() if name not in ("name", "heartbeat")})
    group = groups[second["groupId"]] if "groupId" in second else start
    after = changed(before, start, group, **second)
    stored = msgspec.json.decode(msgspec.json.encode(after), type=Monitor)  # as it comes back from the database
    assert changed(stored, group, group, **second) is stored
    assert changed(stored, group, group) is stored
    if second.get("heartbeat") != {**BEAT, "grace": 0}:
        assert after.policy == before.policy  # minutes or hours: the engine need not know


def test_the_token_of_a_check_stays():
    found = made()
    assert changed(found, heartbeat=BEAT).ping_token == TOKEN
    assert changed(found, heartbeat={**BEAT, "pingToken": OTHER}).ping_token == OTHER
    native = msgspec.structs.replace(BLANK, number=3, policy=found.policy)
    assert changed(native, name="x").ping_token == OTHER, "one that has none is given one"


@pytest.mark.parametrize(("activated", "group", "inactive"), [(True, ON, False), (True, OFF, True), (False, ON, True)])
def test_a_check_runs_when_it_and_its_group_are_activated(activated, group, inactive):
    found = made(group, activated=activated)
    assert found.inactive is inactive
    assert mapping.is_activated(found, group) is activated


def test_a_check_leaves_a_group_that_is_off_as_it_was_by_itself():
    for activated in (True, False):
        found = made(OFF, activated=activated)
        moved = changed(found, OFF, ON, groupId=1)
        assert (moved.inactive, moved.group) == (not activated, "on")
        assert changed(found, OFF, None, groupId=None).inactive is not activated


def test_a_group_is_switched_off_and_on_again():
    off, on = msgspec.structs.replace(ON, inactive=True), ON
    native = msgspec.structs.replace(BLANK, number=3, group="on", policy=made().policy)
    for monitor in (native, made(ON), made(ON, activated=False)):
        was = mapping.is_activated(monitor, on)
        quiet = mapping.regrouping(monitor, on, off).apply(monitor, NOW)
        assert quiet.inactive
        assert mapping.is_activated(quiet, off) is was
        again = mapping.regrouping(quiet, off, on).apply(quiet, NOW)
        assert again.inactive is not was


def test_what_was_switched_off_natively_is_not_activated():
    found = msgspec.structs.replace(made(), inactive=True)
    assert not mapping.is_activated(found, None)
    assert not changed(found, activated=True).inactive
    assert changed(found, name="x").inactive


def test_mute_that_ends_by_itself_stays_so():
    found = msgspec.structs.replace(made(), muted_until=NOW + DAY)
    assert changed(found, muted=True).muted_until == NOW + DAY
    assert changed(found, muted=False).muted_until is None
    assert changed(made(), muted=True).muted_until == NEVER


def test_what_others_say_of_alerts_stays():
    policy = AlertPolicy(channels=("ops",), escalation=Escalation(failures=9), project_escalation=False)
    found = msgspec.structs.replace(made(), alert_policy=policy)
    assert changed(found, useGlobalAlertSettings=True).alert_policy == msgspec.structs.replace(
        policy, project_escalation=True
    )
    assert changed(found, alertSettings={}).alert_policy == msgspec.structs.replace(policy, escalation=Escalation())
    assert changed(found, name="x").alert_policy == policy


def test_what_is_no_check():
    both = msgspec.structs.replace(BLANK.policy, schedules=(Rolling(1), Cron("* * * * *")))
    assert not mapping.is_check(BLANK)
    assert not mapping.is_check(msgspec.structs.replace(BLANK, policy=both))


def test_extras_that_are_not_ours_to_read():
    odd = msgspec.structs.replace(made(), extras={"checkly": msgspec.Raw(b"[1]")})
    assert mapping.kept_of(odd).members == {}
    assert changed(odd, name="x").display_name == "x"


@given(BODIES)
def test_what_is_read_says_nothing_new_when_it_is_sent_back(body):
    group = {None: None, 1: ON, 2: OFF}[body.get("groupId")]
    found = made(group, **{name: value for name, value in body.items() if name not in ("name", "heartbeat")})
    view = View(NOW, lambda token: token, groups={"on": ON, "off": OFF})
    for as_json in (written_json(found, view), check_json(found, view, 1), check_json(found, view, 2)):
        sent = msgspec.json.decode(msgspec.json.encode(as_json))
        assert changed(found, group, group, **sent) is found
