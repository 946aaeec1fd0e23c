"""What was committed is read back: generated batches against a model of dictionaries."""

import dataclasses
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, given, settings

from support.stores import (
    NOW,
    check_in,
    commit,
    delta,
    drain,
    incident,
    monitor,
    track,
    unnumbered,
    with_monitors,
)
from support.stores import check_in_number as number
from tocsin.domain import facts
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.incident import Cause, Incident, Outage
from tocsin.domain.instant import HOUR, NEVER
from tocsin.domain.monitor import FIELDS, AlertPolicy, FieldWriter, Kind, Monitor, Policy, Tolerance
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.domain.track import Health, Track, Verdict
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter

ANY = CheckInFilter()


instants = st.integers(0, 2**45)
later = st.integers(1, 2**45)  # packed, a pause or a mute until 0 is none
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
hex_ids = st.integers(1, 2**128 - 1).map(lambda value: f"{value:032x}")
_TEXTS = ("message", "release", "host", "trace_id", "series", "dialect", "client", "event", "address")
policies = st.builds(
    Policy,
    schedules=st.lists(
        st.builds(Cron, expression=texts) | st.builds(Interval, count=st.integers(1, 99), unit=st.sampled_from(Unit)),
        max_size=2,
    ).map(tuple),
    tolerance=st.builds(Tolerance, margin_ms=instants, early_ms=st.none() | instants),
    kind=st.sampled_from(Kind),
)
monitor_fields = st.fixed_dictionaries(
    {},
    optional={
        "display_name": texts,
        "owner": texts,
        "origin": st.sampled_from(["native", "sentry"]),
        "written_by": st.sampled_from(["native", "sentry"]),
        "labels": st.dictionaries(texts, texts, max_size=3),
        "group": texts,
        "tags": st.lists(texts.filter(lambda text: "\n" not in text), max_size=3).map(tuple),
        "alert_policy": st.builds(
            AlertPolicy, channels=st.lists(texts, max_size=2).map(tuple), repeat_interval_ms=instants
        ),
        "extras": st.dictionaries(
            texts, st.dictionaries(texts, st.integers(-9, 9)).map(msgspec.json.encode).map(msgspec.Raw), max_size=2
        ),
        "locks": st.lists(st.sampled_from(sorted(FIELDS)), unique=True).map(tuple),
        "writers": st.dictionaries(
            st.sampled_from(sorted(FIELDS)),
            st.builds(FieldWriter, by=texts, at=st.sampled_from([1, NOW]), upsert=st.booleans()),
        ),
        "disabled": st.booleans(),
        "inactive": st.booleans(),
        "paused_until": st.none() | st.just(NEVER) | later,
        "muted_until": st.none() | st.just(NEVER) | later,
        "revision": st.integers(0, 99),
        "update_time": instants,
    },
)
track_fields = st.fixed_dictionaries(
    {},
    optional={
        "health": st.sampled_from(Health),
        "verdict": st.sampled_from(Verdict),
        "flags": st.integers(0, 7),
        "failures": st.integers(0, 9),
        "open_runs": st.integers(0, 9),
        "incident": st.integers(0, 9),
        **dict.fromkeys(
            ("expected", "deadline", "run_deadline", "last_check_in", "last_success", "last_start", "last_lapse_slot"),
            st.just(NEVER) | instants,
        ),
        "last_duration": st.integers(-1, 10**6),
        "ok_count": st.integers(0, 2**40),
        "last_lapse": st.integers(0, 2**62),
    },
)
check_in_fields = st.fixed_dictionaries(
    {"state": st.sampled_from(State)},
    optional={
        "receive_time": instants,
        "update_time": instants,
        **dict.fromkeys(
            ("start_time", "end_time", "duration_ms", "expected_time", "timeout_time"), st.none() | instants
        ),
        "late": st.booleans(),
        "satisfies": st.none() | st.integers(1, 2**62),
        "policy": st.integers(0, 2**31),
        "deafened": st.booleans(),
        "exit_code": st.none() | st.integers(-1, 255),
        **dict.fromkeys(_TEXTS, texts),
        "metrics": st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    },
)
incident_fields = st.fixed_dictionaries(
    {"cause": st.sampled_from(Cause)},
    optional={
        "open_time": instants,
        **dict.fromkeys(("first_check_in", "last_check_in", "resolving_check_in", "acknowledged_by", "note"), texts),
        **dict.fromkeys(("assertion", "resolved_by"), texts),
        "causes": st.lists(texts, min_size=1, max_size=3).map(tuple),
        "failure_count": st.integers(0, 99),
        "acknowledge_time": st.none() | instants,
        "muted": st.booleans(),
        **dict.fromkeys(("broken_time", "broken_mute_time", "attended_time"), st.none() | instants),
    },
)
NAMES = {1: "production", 2: "staging", 3: "böse 'Umgebung'"}


@dataclasses.dataclass
class Model:
    """The store as dictionaries."""

    monitors: dict[int, Monitor] = dataclasses.field(default_factory=dict)
    policy_of: dict[int, int] = dataclasses.field(default_factory=dict)
    policies: dict[int, Policy] = dataclasses.field(default_factory=dict)
    tracks: dict[int, Track] = dataclasses.field(default_factory=dict)
    check_ins: dict[int, CheckIn] = dataclasses.field(default_factory=dict)
    incidents: dict[int, Incident] = dataclasses.field(default_factory=dict)
    refusals: list[facts.CheckInRefused] = dataclasses.field(default_factory=list)
    sequences: dict[str, int] = dataclasses.field(default_factory=dict)
    next: int = 1

    def take(self) -> int:
        self.next += 1
        return self.next


@st.composite
def histories(draw) -> tuple[list[Delta], Model]:
    """Batches as an engine could hand them over, and what they amount to."""
    model = Model()
    batches = []
    for index in range(draw(st.integers(1, 5))):
        batch = Delta(clock=NOW + index)
        if index == 0:
            batch.environments.update(NAMES)
        for _ in range(draw(st.integers(1, 6))):
            draw(st.sampled_from((put, put, report, report, report, fail, refuse, delete, delete_environment)))(
                draw, model, batch
            )
        batch.sequences["any"] = model.sequences["any"] = model.next
        batches.append(batch)
    return batches, model


def put(draw, model: Model, batch: Delta) -> None:
    old = draw(st.sampled_from([None, *model.monitors.values()]))
    policy = draw(policies)
    policy_number = next((known for known, value in model.policies.items() if value == policy), 0) or model.take()
    if policy_number not in model.policies:
        batch.policies[policy_number] = model.policies[policy_number] = policy
    fields = draw(monitor_fields)
    if old is None:
        # Names are few, so that deleted ones are taken again.
        name, project = draw(st.sampled_from(["a", "b", "c", "d"])), draw(st.integers(1, 2))
        if any((known.id, known.project) == (name, project) for known in model.monitors.values()):
            return
        made = monitor(model.take(), id=name, project=project, policy=policy, **fields)
    else:
        made = msgspec.structs.replace(old, policy=policy, **fields)
    batch.monitors[made.number] = (made, policy_number)
    model.monitors[made.number], model.policy_of[made.number] = made, policy_number


def report(draw, model: Model, batch: Delta) -> None:
    if not model.monitors:
        return
    owner = draw(st.sampled_from(list(model.monitors.values())))
    environment = draw(st.sampled_from(list(NAMES)))
    mine = next(
        (one for one in model.tracks.values() if (one.monitor, one.environment) == (owner.number, environment)), None
    )
    moved = track(mine.number if mine else model.take(), owner.number, environment, **draw(track_fields))
    batch.tracks[moved.number] = model.tracks[moved.number] = moved
    same = [one for one in model.check_ins.values() if one.track == moved.number]
    old = draw(st.sampled_from([None, *same]))
    fields = draw(check_in_fields)
    if old is None:
        chosen = draw(st.none() | hex_ids)
        if any((one.id, one.project) == (chosen, owner.project) for one in model.check_ins.values()):
            return
        if chosen is not None:
            fields["id"] = chosen
        names = {"project": owner.project, "monitor_id": owner.id, "environment": NAMES[environment]}
        made = check_in(number(model.take()), moved, **names, **fields)
        batch.new_check_ins.add(made.number)
    else:
        made = msgspec.structs.replace(old, **fields | {"policy": old.policy})  # the first one stays
    batch.check_ins[made.number] = model.check_ins[made.number] = made


def fail(draw, model: Model, batch: Delta) -> None:
    if not model.tracks:
        return
    where = draw(st.sampled_from(list(model.tracks.values())))
    owner = model.monitors[where.monitor]
    for old in list(model.incidents.values()):
        if old.track == where.number and old.resolve_time is None:
            done = msgspec.structs.replace(old, resolve_time=NOW)
            batch.incidents[old.number] = model.incidents[old.number] = done
    names = {"project": owner.project, "monitor_id": owner.id, "environment": NAMES[where.environment]}
    made = incident(model.take(), where, **names, **draw(incident_fields))
    batch.incidents[made.number] = model.incidents[made.number] = made


def refuse(draw, model: Model, batch: Delta) -> None:
    if len(model.refusals) == 10:
        return  # more push out the oldest: see test_store_refusals
    made = facts.CheckInRefused(
        1, draw(texts), "MONITOR_NOT_FOUND", draw(texts), NOW, "sentry", draw(texts), dropped=draw(st.booleans())
    )
    batch.refusals.append(made)
    if not made.dropped:  # a remark that comes again takes the place of the one before
        same = (made.monitor_id, made.detail)
        model.refusals = [old for old in model.refusals if old.dropped or (old.monitor_id, old.detail) != same]
    model.refusals.append(made)


def delete(draw, model: Model, batch: Delta) -> None:
    if not model.monitors:
        return
    gone = draw(st.sampled_from(list(model.monitors)))
    del model.monitors[gone], model.policy_of[gone]
    batch.monitors.pop(gone, None)
    batch.deleted_monitors.add(gone)
    for rows, changed in (
        (model.tracks, batch.tracks),
        (model.check_ins, batch.check_ins),
        (model.incidents, batch.incidents),
    ):
        for row in [row for row in rows.values() if row.monitor == gone]:
            del rows[row.number]
            changed.pop(row.number, None)
    batch.new_check_ins &= set(batch.check_ins)


def delete_environment(draw, model: Model, batch: Delta) -> None:
    if not model.tracks:
        return
    gone = draw(st.sampled_from(list(model.tracks.values())))
    batch.deleted_tracks[gone.number] = gone.monitor
    del model.tracks[gone.number]
    batch.tracks.pop(gone.number, None)
    for rows, changed in ((model.check_ins, batch.check_ins), (model.incidents, batch.incidents)):
        for row in [row for row in rows.values() if row.track == gone.number]:
            del rows[row.number]
            changed.pop(row.number, None)
    batch.new_check_ins &= set(batch.check_ins)


def assert_equal(store, model: Model) -> None:
    snapshot = store.load()
    rows = drain(snapshot)
    assert snapshot.sequences == model.sequences
    assert dict(snapshot.environments) == NAMES
    assert dict(snapshot.policies) == model.policies
    assert rows["monitors"] == [
        (m.number, m.project, m.id, model.policy_of[m.number], m.disabled, m.inactive, m.paused_until, m.muted_until)
        for m in sorted(model.monitors.values(), key=lambda m: m.number)
    ]
    assert [Track(*row) for row in rows["tracks"]] == sorted(model.tracks.values(), key=lambda one: one.number)
    assert rows["open_runs"] == sorted(
        (one for one in model.check_ins.values() if one.state is State.IN_PROGRESS), key=lambda one: one.number
    )
    assert rows["open_incidents"] == sorted(
        (one for one in model.incidents.values() if one.resolve_time is None), key=lambda one: one.number
    )
    recalled = store.recall(
        Needs(
            {(m.project, m.id) for m in model.monitors.values()},
            {(one.project, one.id) for one in model.check_ins.values()},
        )
    )
    assert recalled.monitors == {(m.project, m.id): m for m in model.monitors.values()}
    assert recalled.check_ins == {(one.project, one.id): one for one in model.check_ins.values()}
    for project in (1, 2):
        listed = store.list_monitors(project, size=100).rows
        assert [row.monitor for row in listed] == sorted(
            (m for m in model.monitors.values() if m.project == project), key=lambda m: m.id
        )
        for row in listed:
            mine = [(NAMES[one.environment], one) for one in model.tracks.values() if one.monitor == row.monitor.number]
            assert row.tracks == sorted(mine, key=lambda pair: pair[0])
            unresolved = (
                one
                for one in model.incidents.values()
                if one.monitor == row.monitor.number and one.resolve_time is None
            )
            assert row.incidents == {one.number: one for one in unresolved}
            assert store.get_monitor(project, row.monitor.id) == row
        newest = sorted(
            (one for one in model.check_ins.values() if one.project == project), key=lambda one: -one.number
        )
        assert store.list_check_ins(project, ANY, size=100).rows == newest
        for one in newest:
            assert store.get_check_in(project, one.monitor_id, one.id) == one
        newest = sorted(
            (one for one in model.incidents.values() if one.project == project), key=lambda one: -one.number
        )
        assert store.list_incidents(project, size=100).rows == newest
        for one in newest:
            assert store.get_incident(project, one.number) == one
    assert unnumbered(store.list_refusals(1, None, size=1000).rows) == model.refusals[::-1]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # it makes one for each example
)
@given(histories())
def test_what_was_committed_is_read_back(open_store, history):
    batches, model = history
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        try:
            drain(store.load())
            for position, batch in enumerate(batches, 1):
                store.commit(batch, position)
            assert_equal(store, model)
            assert store.position() == len(batches)
            # What hung on deleted monitors goes without a trace and without touching the rest.
            while store.expire(check_ins_before=0, refusals_before=0, limit=3):
                pass
            assert_equal(store, model)
        finally:
            store.close()


def test_an_empty_store_has_no_clock(store):
    snapshot = store.load()
    assert snapshot.clock is None
    assert store.position() == 0
    assert drain(snapshot) == {"monitors": [], "tracks": [], "open_runs": [], "open_incidents": []}


def test_the_order_of_rows_is_the_order_of_fields(store):
    with_monitors(store, monitor(1))
    fields = [field for field in msgspec.structs.fields(Track) if field.name != "number"]
    moved = Track(1, 1, 1, 0, **{field.name: index for index, field in enumerate(fields[3:], 10)})
    commit(store, delta(moved))
    assert drain(store.load())["tracks"] == [msgspec.structs.astuple(moved)]


def test_loading_sees_one_moment(store):
    with_monitors(store, monitor(1))
    snapshot = store.load()
    commit(store, delta(monitor(2), track(2, 2)))
    rows = drain(snapshot)
    assert [row[0] for row in rows["monitors"]] == [1]
    assert [row[0] for row in rows["tracks"]] == [1]


def test_an_unread_snapshot_is_given_back(store):
    for _ in range(20):  # more than there are readers
        snapshot = store.load()
        next(iter(snapshot.monitors), None)
    assert store.list_projects() == []


def test_long_outages_are_loaded(store):
    with_monitors(store, monitor(1))
    lengths = {1: HOUR - 1, 2: HOUR, 3: 5 * HOUR}
    outages = [Outage(number, NOW, NOW + length, "restart") for number, length in lengths.items()]
    commit(store, delta(outages=outages))
    assert store.load().outages == [(NOW, NOW + HOUR), (NOW, NOW + 5 * HOUR)]
