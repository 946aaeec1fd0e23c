"""Monitors across the border: resources out, masks and changes in."""

import msgspec
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import (
    AlertPolicy,
    ExpectFrom,
    FieldWriter,
    Kind,
    Monitor,
    MonitorChange,
    Policy,
    Tolerance,
)
from tocsin.domain.schedule import Cron, Rolling
from tocsin.domain.track import Health, Track, Verdict
from tocsin.v1 import monitor_pb2 as pb
from tocsin.v1 import monitor_service_pb2 as service_pb
from tocsin.wire import masks
from tocsin.wire.masks import to_change
from tocsin.wire.monitor import from_monitor, to_mute, to_pause

NOW = 1_769_907_600_000
EMPTY = Monitor(number=1, project=7, id="backup", uid="a" * 32)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
lengths = st.integers(0, masks.MAX_WAIT)
thresholds = st.integers(1, 720)
tolerances = st.builds(
    Tolerance,
    margin_ms=lengths,
    max_runtime_ms=lengths,
    failure_threshold=thresholds,
    miss_threshold=st.integers(0, 720),
    recovery_threshold=thresholds,
    alert_delay_ms=lengths,
    early_ms=st.none() | lengths,
)
policies = st.builds(
    Policy,
    schedules=st.lists(st.just(Cron("@daily")) | st.just(Rolling(5000)), max_size=3).map(tuple),
    tolerance=tolerances,
    kind=st.sampled_from(Kind),
    expect_from=st.sampled_from(ExpectFrom),
    miss_while_running=st.booleans(),
    separate_causes=st.booleans(),
    abandon_runs=st.booleans(),
    round_to_minute=st.booleans(),
    assertions=st.lists(texts, max_size=3).map(tuple),
)
monitors = st.builds(
    Monitor,
    number=st.integers(1, 2**62),
    project=st.just(7),
    id=st.just("backup"),
    uid=st.just("a" * 32),
    policy=policies,
    display_name=texts,
    alert_policy=st.builds(AlertPolicy, channels=st.lists(texts, max_size=3).map(tuple), repeat_interval_ms=lengths),
    labels=st.dictionaries(texts.filter(bool), texts, max_size=3),
    group=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    owner=texts,
    disabled=st.booleans(),
    inactive=st.booleans(),
    paused_until=st.sampled_from([None, NEVER, NOW - 1, NOW + 1000]),
    muted_until=st.sampled_from([None, NEVER, NOW - 1, NOW + 1000]),
    revision=st.integers(0, 1000),
    create_time=st.integers(0, NOW),
    update_time=st.integers(0, NOW),
)


def written(monitor):
    """The part of a monitor that a client writes."""
    return msgspec.structs.replace(
        EMPTY,
        **{
            name: getattr(monitor, name)
            for name in (
                "policy",
                "display_name",
                "alert_policy",
                "labels",
                "group",
                "tags",
                "owner",
                "disabled",
                "inactive",
            )
        },
    )


def same(one, other):
    keep = {"revision": 0, "update_time": 0, "written_by": "native", "writers": {}}
    return msgspec.structs.replace(one, **keep) == msgspec.structs.replace(other, **keep)


@given(monitors)
def test_a_monitor_read_and_written_back_whole_is_itself(monitor):
    message = from_monitor(monitor, [], now=NOW)
    assert same(to_change(message, ["*"]).apply(EMPTY, NOW), written(monitor))


@given(monitors)
def test_what_is_set_makes_the_same_monitor_from_nothing(monitor):
    assert same(to_change(from_monitor(monitor, [], now=NOW)).apply(EMPTY, NOW), written(monitor))


@given(monitors, monitors, st.lists(st.sampled_from(sorted(masks._WRITABLE)), unique=True, min_size=1))
def test_a_mask_writes_what_it_names_and_nothing_else(before, after, mask):
    changed = to_change(from_monitor(after, [], now=NOW), mask).apply(before, NOW)
    for name in masks._WRITABLE:
        source = after if name in mask else before
        holder, whole = (changed.policy, source.policy) if hasattr(source.policy, name) else (changed, source)
        assert getattr(holder, name) == getattr(whole, name), name
    assert changed.paused_until == before.paused_until


def test_single_tolerances_are_written_alone():
    before = msgspec.structs.replace(EMPTY, policy=Policy(tolerance=Tolerance(margin_ms=5, max_runtime_ms=6)))
    message = pb.Monitor(tolerance=pb.Tolerance(margin=Duration(seconds=90)))
    assert to_change(message).apply(before, NOW).policy.tolerance == Tolerance(margin_ms=90_000, max_runtime_ms=6)
    assert to_change(message, ["tolerance"]).apply(before, NOW).policy.tolerance == Tolerance(margin_ms=90_000)
    changed = to_change(message, ["tolerance.max_runtime"]).apply(before, NOW)
    assert changed.policy.tolerance == Tolerance(margin_ms=5)


def test_locks_are_written_by_name_and_writers_are_read_only():
    monitor = msgspec.structs.replace(
        EMPTY, locks=("owner", "tolerance.margin"), writers={"owner": FieldWriter("sentry", NOW, upsert=True)}
    )
    message = from_monitor(monitor, [], now=NOW)
    assert list(message.locks) == ["owner", "tolerance.margin"]
    writer = message.field_writers["owner"]
    assert (writer.written_by, writer.write_time.ToMilliseconds(), writer.upsert) == ("sentry", NOW, True)
    assert to_change(message, ["locks"]) == MonitorChange(locks=("owner", "tolerance.margin"))
    assert to_change(pb.Monitor(), ["locks"], by_hand=True).apply(monitor, NOW).locks == ()
    with pytest.raises(InvalidArgument, match=r"monitor\.locks\[1\]"):
        to_change(pb.Monitor(locks=["owner", "margin"]))
    with pytest.raises(InvalidArgument, match="output only"):
        to_change(pb.Monitor(), ["field_writers"])


def test_zero_and_unset_are_told_apart():
    zero = to_change(
        pb.Monitor(tolerance=pb.Tolerance(max_runtime=Duration(), miss_threshold=0), miss_while_running=False)
    )
    assert zero.tolerance == {"max_runtime_ms": 0, "miss_threshold": 0}
    assert zero.policy == {"miss_while_running": False}
    assert to_change(pb.Monitor()) == to_change(pb.Monitor(name="x", etag="y", paused=True, uid="z"))
    assert to_change(pb.Monitor(), ["miss_while_running"]).policy == {"miss_while_running": True}


WRONG = [
    (
        pb.Monitor(tolerance=pb.Tolerance(failure_threshold=0)),
        "monitor.tolerance.failure_threshold",
        "between 1 and 720",
    ),
    (pb.Monitor(tolerance=pb.Tolerance(miss_threshold=-1)), "monitor.tolerance.miss_threshold", "between 0 and 720"),
    (pb.Monitor(tolerance=pb.Tolerance(margin=Duration(seconds=-1))), "monitor.tolerance.margin", "at least 0s"),
    (
        pb.Monitor(tolerance=pb.Tolerance(max_runtime=Duration(seconds=10**9))),
        "monitor.tolerance.max_runtime",
        "at most",
    ),
    (pb.Monitor(schedules=[{}]), "monitor.schedules[0]", "set one of"),
    (pb.Monitor(kind=9), "monitor.kind", "KIND_JOB, KIND_HEARTBEAT"),
    (pb.Monitor(display_name="x" * 201), "monitor.display_name", "at most 200"),
    (pb.Monitor(labels={"": "x"}), "monitor.labels['']", "not empty"),
    (pb.Monitor(labels={str(n): "" for n in range(65)}), "monitor.labels", "at most 64"),
    (pb.Monitor(assertions=["x"] * 101), "monitor.assertions", "at most 100"),
    (pb.Monitor(alert_policy={"channels": ["x", "y" * 201]}), "monitor.alert_policy.channels[1]", "at most 200"),
    (
        pb.Monitor(alert_policy={"repeat_interval": Duration(seconds=-5)}),
        "monitor.alert_policy.repeat_interval",
        "at least",
    ),
]


@pytest.mark.parametrize(("message", "field", "says"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(message, field, says):
    with pytest.raises(InvalidArgument) as caught:
        to_change(message)
    assert caught.value.violations[0].field == field
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nonsense", "is no field of Monitor"),
        ("tolerance.nonsense", "is no field of Monitor"),
        ("uid", "is output only"),
        ("environments", "is output only"),
        ("paused", "use PauseMonitor"),
        ("labels.team", "labels is replaced as a whole"),
        ("alert_policy.channels", "alert_policy is replaced as a whole"),
    ],
)
def test_masks_are_checked(path, says):
    with pytest.raises(InvalidArgument, match="update_mask") as caught:
        to_change(pb.Monitor(), [path])
    assert says in caught.value.message
    with pytest.raises(InvalidArgument, match=r"stands alone"):
        to_change(pb.Monitor(), ["*", "owner"])


def test_pause_and_mute():
    assert to_pause(service_pb.PauseMonitorRequest(), NOW).paused_until == NEVER
    assert to_pause(service_pb.PauseMonitorRequest(pause_duration=Duration(seconds=5)), NOW).paused_until == NOW + 5000
    later = Timestamp(seconds=NOW // 1000 + 9)
    assert to_mute(service_pb.MuteMonitorRequest(expire_time=later), NOW).muted_until == NOW + 9000
    assert to_mute(service_pb.MuteMonitorRequest(mute_duration=Duration(seconds=5)), NOW).muted_until == NOW + 5000
    with pytest.raises(InvalidArgument, match="pause_duration: must be at least"):
        to_pause(service_pb.PauseMonitorRequest(pause_duration=Duration()), NOW)
    with pytest.raises(InvalidArgument, match="expire_time: must be in the future"):
        to_pause(service_pb.PauseMonitorRequest(expire_time=Timestamp(seconds=5)), NOW)


def test_pause_is_shown_while_it_lasts():
    def shown(until):
        message = from_monitor(msgspec.structs.replace(EMPTY, paused_until=until, muted_until=until), [], now=NOW)
        assert (message.paused, message.HasField("pause_expire_time")) == (
            message.muted,
            message.HasField("mute_expire_time"),
        )
        return message.paused, message.HasField("pause_expire_time")

    assert shown(None) == (False, False)
    assert shown(NOW) == (False, False)
    assert shown(NOW + 1) == (True, True)
    assert shown(NEVER) == (True, False)


def test_environments():
    track = Track(
        number=1,
        monitor=1,
        environment=1,
        next_track=0,
        health=Health.UNHEALTHY,
        verdict=Verdict.MISSED,
        failures=2,
        incident=5,
        deadline=NOW,
        last_duration=1500,
        missed_count=2,
    )
    message = from_monitor(EMPTY, [("production", track)], now=NOW)
    health = message.environments[0]
    assert message.name == "projects/7/monitors/backup"
    assert health.state == pb.EnvironmentHealth.STATE_MISSED
    assert not health.healthy
    assert health.incident == "projects/7/incidents/5"
    assert health.deadline_time.ToMilliseconds() == NOW
    assert not health.HasField("expected_time")
    assert health.last_run_duration == Duration(seconds=1, nanos=500_000_000)
    assert (health.consecutive_failure_count, health.counts.missed_count) == (2, 2)
    new = from_monitor(EMPTY, [("x", Track(2, 1, 2, 0))], now=NOW).environments[0]
    assert (new.state, new.healthy, new.incident) == (pb.EnvironmentHealth.STATE_NEW, True, "")
    assert not new.HasField("last_run_duration")
    paused = from_monitor(msgspec.structs.replace(EMPTY, paused_until=NEVER), [("x", track)], now=NOW)
    assert paused.environments[0].state == pb.EnvironmentHealth.STATE_PAUSED


def test_every_field_of_the_contract_is_read_or_output_only():
    known = masks._WRITABLE | {"name", "etag"}
    from google.api import field_behavior_pb2

    for field in pb.Monitor.DESCRIPTOR.fields:
        output = field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        assert output != (field.name in known), field.name
    assert {field.name for field in pb.Tolerance.DESCRIPTOR.fields} == set(masks._TOLERANCE)
