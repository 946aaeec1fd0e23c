"""One suite for every store: what the port promises, whatever database is below."""

import dataclasses
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings
from sqlalchemy.exc import IntegrityError

from support.stores import BACKENDS, NOW, check_in, commit, delta, drain, incident, monitor, track, with_monitors
from tocsin.domain import errors, facts, ids
from tocsin.domain.check_in import CheckIn, ReportKind, State
from tocsin.domain.incident import Cause, Incident, Outage
from tocsin.domain.instant import DAY, NEVER
from tocsin.domain.monitor import AlertPolicy, Kind, Monitor, Policy, Tolerance
from tocsin.domain.project import Scope, digest_of, new_key
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.domain.track import Health, Track, Verdict, display_state
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter, Fenced, StoreTrouble

ANY = CheckInFilter()


@pytest.fixture(params=sorted(BACKENDS))
def open_store(request):
    """folder → a store on a new database in it."""
    return BACKENDS[request.param]


@pytest.fixture
def store(open_store, tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def number(index: int, at: int = NOW) -> int:
    return ids.check_in_number(at, index)


# --- round trip


instants = st.integers(0, 2**45)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
hex_ids = st.integers(1, 2**128 - 1).map(lambda value: f"{value:032x}")
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
        "alert_policy": st.builds(
            AlertPolicy, channels=st.lists(texts, max_size=2).map(tuple), repeat_interval_ms=instants
        ),
        "extras": st.dictionaries(
            texts, st.dictionaries(texts, st.integers(-9, 9)).map(msgspec.json.encode).map(msgspec.Raw), max_size=2
        ),
        "disabled": st.booleans(),
        "inactive": st.booleans(),
        "paused_until": st.none() | st.just(NEVER) | instants,
        "muted_until": st.none() | st.just(NEVER) | instants,
        "revision": st.integers(0, 99),
        "update_time": instants,
    },
)
track_fields = st.fixed_dictionaries(
    {},
    optional={
        "health": st.sampled_from(Health),
        "verdict": st.sampled_from(Verdict),
        "flags": st.integers(0, 1),
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
        "deafened": st.booleans(),
        "exit_code": st.none() | st.integers(-1, 255),
        **dict.fromkeys(("message", "release", "host", "trace_id", "series", "dialect", "client"), texts),
        "metrics": st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    },
)
incident_fields = st.fixed_dictionaries(
    {"cause": st.sampled_from(Cause)},
    optional={
        "open_time": instants,
        **dict.fromkeys(("first_check_in", "last_check_in", "resolving_check_in", "acknowledged_by", "note"), texts),
        "failure_count": st.integers(0, 99),
        "acknowledge_time": st.none() | instants,
        "muted": st.booleans(),
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
            draw(st.sampled_from((put, put, report, report, report, fail, refuse, delete)))(draw, model, batch)
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
        made = msgspec.structs.replace(old, **fields)
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
    made = facts.CheckInRefused(
        1, draw(texts), "MONITOR_NOT_FOUND", draw(texts), NOW, "sentry", draw(texts), dropped=draw(st.booleans())
    )
    batch.refusals.append(made)
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
    assert store.list_refusals(1, None, limit=1000) == model.refusals[::-1]


@settings(max_examples=60, deadline=None)
@given(histories())
@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_what_was_committed_is_read_back(backend, history):
    batches, model = history
    with tempfile.TemporaryDirectory() as folder:
        store = BACKENDS[backend](Path(folder))
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


# --- the fence


def test_who_has_not_loaded_owns_nothing(store):
    with pytest.raises(Fenced):
        store.commit(delta(), 1)
    with pytest.raises(Fenced):
        store.alive(NOW)


def test_a_new_owner_fences_the_old_one(store, tmp_path):
    other = type(store)(str(store.database.writer.url))
    try:
        with_monitors(store, monitor(1))
        drain(other.load())
        with pytest.raises(Fenced):
            commit(store, delta(monitor(2)))
        with pytest.raises(Fenced):
            store.alive(NOW + 1)
        commit(other, delta(monitor(3)))
        assert [row.monitor.number for row in store.list_monitors(1, size=9).rows] == [1, 3]
        assert other.position() == 2
    finally:
        other.close()


def test_a_delta_counts_once(store):
    with_monitors(store, monitor(1))
    before = store._fence
    commit(store, delta(check_in(number(1), track(1, 1))))
    store._fence = before  # as if the answer to the commit had been lost
    with pytest.raises(Fenced):
        commit(store, delta(check_in(number(1), track(1, 1))))


def test_the_clock_moves_forward_only(store):
    with_monitors(store, monitor(1))
    store.alive(NOW + 500)
    store.alive(NOW + 100)
    assert store.load().clock == NOW + 500
    commit(store, delta(clock=NOW + 200))
    assert store.load().clock == NOW + 500
    commit(store, delta(clock=NOW + 900))
    assert store.load().clock == NOW + 900


# --- trouble


def test_a_failed_commit_leaves_nothing(store):
    with_monitors(store, monitor(1))
    broken = delta(check_in(number(1), track(1, 1)), incident(1, track(1, 1)), incident(2, track(1, 1)))
    with pytest.raises(IntegrityError):  # two open incidents of one track: a bug, not trouble
        commit(store, broken)
    assert store.position() == 1
    assert store.list_check_ins(1, ANY, size=9).rows == []
    commit(store, delta(check_in(number(1), track(1, 1)), incident(1, track(1, 1))))


def test_one_incident_may_follow_another_in_one_batch(store):
    with_monitors(store, monitor(1))
    commit(store, delta(incident(1, track(1, 1))))
    both = delta(incident(2, track(1, 1)), incident(1, track(1, 1), resolve_time=NOW))
    commit(store, both)
    assert [one.number for one in store.list_incidents(1, open_only=True, size=9).rows] == [2]
    assert [one.number for one in store.list_incidents(1, size=9).rows] == [2, 1]


def test_a_locked_database_is_trouble_that_passes(open_store, tmp_path):
    store = open_store(tmp_path, busy_timeout_ms=20)
    try:
        with_monitors(store, monitor(1))
        made = delta(check_in(number(1), track(1, 1)))
        lock = sqlite3.connect(store.database.writer.url.database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: commit(store, made),
            lambda: store.alive(NOW),
            lambda: store.create_project("p", NOW),
            lambda: store.expire(check_ins_before=0, refusals_before=0, limit=1),
            store.load,
        ):
            with pytest.raises(StoreTrouble):
                write()
        assert store.get_monitor(1, "m-1") is not None  # reads go on
        lock.close()
        commit(store, made)
        assert len(store.list_check_ins(1, ANY, size=9).rows) == 1
    finally:
        store.close()


def test_a_full_disk_is_trouble_that_passes(store):
    with_monitors(store, monitor(1))
    limit(store, "(SELECT page_count FROM pragma_page_count) + 2")
    here = track(1, 1)
    large = delta(*(check_in(number(index), here, message="x" * 2000) for index in range(100)))
    for _ in range(3):
        with pytest.raises(StoreTrouble):
            commit(store, large)
        assert store.list_check_ins(1, ANY, size=9).rows == []
        assert store.position() == 1
    limit(store, str(2**30))
    commit(store, large)
    assert len(store.list_check_ins(1, ANY, size=100).rows) == 100


def limit(store, pages: str) -> None:
    """Let the one connection of the writer use so many pages and no more."""
    with store.database.write() as connection:
        count = connection.exec_driver_sql(f"SELECT {pages}").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")


CAPPED = """
import resource, sys
from support.stores import *
from tocsin.store import StoreTrouble
store = SqlStore(sys.argv[1])
with_monitors(store, monitor(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
index = kept = 0
try:
    while index < 1000:
        index += 1
        commit(store, delta(check_in(ids.check_in_number(NOW, index), track(1, 1), message="x" * 2000)))
        kept += 1
except StoreTrouble:
    print("trouble")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
commit(store, delta(check_in(ids.check_in_number(NOW, 5000), track(1, 1))))
print(kept + 1, store.position() - 1, len(store.list_check_ins(1, __import__("tocsin.store").store.CheckInFilter(), size=2000).rows))
store.close()
"""


def test_a_file_that_cannot_grow_is_trouble_that_passes(store):
    url = str(store.database.writer.url)
    first, second = run(CAPPED, url).split("\n")
    assert first == "trouble"
    kept, position, rows = map(int, second.split())
    assert kept == position == rows


def test_an_error_of_ours_is_not_trouble(store):
    with_monitors(store, monitor(1))
    with pytest.raises(IntegrityError):
        commit(store, delta(monitor(2, id="m-1")))
    with pytest.raises(IntegrityError):  # no such policy
        commit(store, Delta(monitors={3: (monitor(3), 99)}))


WRITER = """
import sys
from support.stores import *
store = SqlStore(sys.argv[1])
drain(store.load())
position = store.position()
here = track(1, 1)
while True:
    position += 1
    rows = [check_in(ids.check_in_number(NOW, position * 10 + index), here, id=f"{position * 10 + index:032x}") for index in range(10)]
    store.commit(delta(*rows, track(1, 1, ok_count=position), sequences={"any": position}), position)
    print(position, flush=True)
"""


@pytest.mark.timeout(120)
def test_kill_9_loses_nothing_that_was_acknowledged(store):
    with_monitors(store, monitor(1))
    acknowledged = store.position()
    for round_ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.database.writer.url)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        with process:
            for _ in range(3 + 7 * round_):
                acknowledged = int(process.stdout.readline())
            process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        snapshot = store.load()
        position = store.position()
        assert acknowledged <= position <= acknowledged + 1
        [row] = drain(snapshot)["tracks"]
        assert Track(*row).ok_count == position
        assert snapshot.sequences == {"any": position}
        found = pages(lambda token: store.list_check_ins(1, ANY, size=500, token=token))
        assert [one.number for one in found] == [number(index) for index in range(position * 10 + 9, 19, -1)]
        assert len(store.recall(Needs(check_ins={(1, one.id) for one in found})).check_ins) == len(found)
        acknowledged = position


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def run(script: str, *arguments: str) -> str:
    """The output of a script in another process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def pages(read) -> list:
    rows, token = [], ""
    while True:
        page = read(token)
        rows += page.rows
        token = page.next_token
        if not token:
            return rows


# --- many threads


def test_reads_go_on_beside_writes(store):
    with_monitors(store, *(monitor(index) for index in range(1, 21)))
    troubles: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                rows = store.list_monitors(1, size=50).rows
                counts = {one.tracks[0][1].ok_count for one in rows}
                assert len(rows) == 20
                assert len(counts) == 1, "a page is of one moment"
        except BaseException as error:
            troubles.append(error)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for thread in readers:
        thread.start()
    for index in range(60):
        commit(store, delta(*(track(n, n, ok_count=index) for n in range(1, 21))))
        store.put_setting("round", str(index))
    stop.set()
    for thread in readers:
        thread.join()
    assert troubles == []


def test_readers_cannot_write(store):
    from sqlalchemy.exc import OperationalError

    with pytest.raises((StoreTrouble, OperationalError)), store.database.read() as connection:
        connection.exec_driver_sql("DELETE FROM settings")


# --- check-ins


def test_both_kinds_of_id_are_found(store):
    with_monitors(store, monitor(1), monitor(2, project=2, id="m-1"))
    ours, chosen = check_in(number(1), track(1, 1)), check_in(number(2), track(1, 1), id="ab" * 16)
    elsewhere = check_in(number(3), track(2, 2), id="ab" * 16, project=2, monitor_id="m-1")
    disguised = check_in(number(4), track(1, 1), id=ids.public_id(number(77)))
    commit(store, delta(ours, chosen, elsewhere, disguised))
    needs = Needs(
        {(1, "m-1"), (3, "m-1"), (1, "none")},
        {(1, ours.id), (1, chosen.id), (2, chosen.id), (1, disguised.id), (2, ours.id), (1, "cd" * 16)},
    )
    found = store.recall(needs)
    assert set(found.monitors) == {(1, "m-1")}
    assert found.check_ins == {
        (1, ours.id): ours,
        (1, chosen.id): chosen,
        (2, chosen.id): elsewhere,
        (1, disguised.id): disguised,
    }
    dashed = "abababab-ABAB-abab-abab-abababababab"
    assert store.get_check_in(1, "m-1", dashed) == chosen
    assert store.get_check_in(1, "m-2", dashed) is None
    assert store.get_check_in(2, "m-1", dashed) == elsewhere
    assert store.get_check_in(1, "m-1", ids.public_id(number(4))) is None  # the client chose its name, this is not it
    with pytest.raises(errors.InvalidArgument):
        store.get_check_in(1, "m-1", "' OR 1=1 --")


def test_latest_is_the_newest_open_run(store):
    with_monitors(store, monitor(1), monitor(2))
    assert store.get_check_in(1, "m-1", "latest") is None
    rows = [check_in(number(index), track(1, 1), State.IN_PROGRESS) for index in (1, 2)]
    commit(store, delta(*rows, check_in(number(3), track(1, 1)), check_in(number(4), track(2, 2), State.IN_PROGRESS)))
    assert store.get_check_in(1, "m-1", "latest") == rows[1]
    assert store.get_check_in(1, "m-1", ids.LATEST) == rows[1]
    commit(store, delta(msgspec.structs.replace(rows[1], state=State.OK)))
    assert store.get_check_in(1, "m-1", "latest") == rows[0]


def test_check_ins_are_narrowed(store):
    with_monitors(store, monitor(1), monitor(2))
    commit(store, delta(track(3, 1, 2)))
    rows = [
        check_in(number(0, NOW), track(1, 1), State.OK),
        check_in(number(0, NOW + 1000), track(1, 1), State.ERROR),
        check_in(number(0, NOW + 2000), track(3, 1), State.MISSED, environment="staging", receive_time=NOW + 500),
        check_in(number(0, NOW + 3000), track(2, 2), State.OK),
    ]
    commit(store, delta(*rows))

    def listed(**only) -> list[int]:
        return [rows.index(row) for row in store.list_check_ins(1, CheckInFilter(**only), size=9).rows]

    assert listed() == [3, 2, 1, 0]
    assert listed(monitor=1) == [2, 1, 0]
    assert listed(environment="staging") == [2]
    assert listed(states=frozenset({State.OK, State.MISSED})) == [3, 2, 0]
    assert listed(states=frozenset()) == []
    assert listed(since=NOW + 1000) == [3, 1]
    assert listed(until=NOW + 1000) == [2, 0]
    assert listed(since=NOW + 100, until=NOW + 1000, monitor=1) == [2]
    assert store.list_check_ins(2, ANY, size=9).rows == []


# --- pages


@pytest.mark.parametrize("order_by", ["", "id desc", "display_name", "create_time desc", "update_time"])
def test_pages_of_monitors_hold_still_under_inserts(store, order_by):
    old = [
        monitor(
            index,
            id=f"m-{index * 7 % 25:02}",
            display_name="same" if index % 3 else "other",
            create_time=NOW + index % 4,
        )
        for index in range(1, 25)
    ]
    with_monitors(store, *old)
    field, _, direction = (order_by or "id").partition(" ")
    whole = sorted(old, key=lambda one: (getattr(one, field), one.number), reverse=direction == "desc")
    fresh = iter(range(100, 200))
    seen: list[Monitor] = []
    token = ""
    while True:
        page = store.list_monitors(1, size=5, token=token, order_by=order_by)
        seen += [row.monitor for row in page.rows]
        token = page.next_token
        if not token:
            break
        new = [monitor(next(fresh), id=f"{prefix}{next(fresh)}") for prefix in ("a-", "m-13-", "z-")]
        commit(store, delta(*new))
    assert [one for one in seen if one.number < 100] == whole
    assert len({one.number for one in seen}) == len(seen)


def test_pages_of_check_ins_hold_still_under_inserts(store):
    with_monitors(store, monitor(1))
    commit(store, delta(*(check_in(number(index), track(1, 1)) for index in range(20))))
    fresh = iter(range(100, 200))

    def read(token):
        page = store.list_check_ins(1, CheckInFilter(monitor=1), size=3, token=token)
        commit(store, delta(check_in(number(next(fresh)), track(1, 1))))
        return page

    assert [one.number for one in pages(read)] == [number(index) for index in range(19, -1, -1)]


def test_a_last_page_that_is_full_has_no_token(store):
    with_monitors(store, *(monitor(index) for index in range(1, 5)))
    page = store.list_monitors(1, size=2)
    page = store.list_monitors(1, size=2, token=page.next_token)
    assert [row.monitor.number for row in page.rows] == [3, 4]
    assert page.next_token == ""


def test_incidents_and_outages_are_paged(store):
    with_monitors(store, monitor(1), monitor(2))
    here = track(1, 1)
    rows = [incident(index, here, resolve_time=NOW if index < 5 else None) for index in range(1, 6)]
    away = [
        Outage(number=index, start_time=NOW, end_time=NOW + index, reason="restart", shown=index % 2 == 0)
        for index in range(1, 7)
    ]
    made = delta(*rows, incident(9, track(2, 2)), outages=away)
    commit(store, made)
    assert pages(lambda token: store.list_incidents(1, monitor=1, size=2, token=token)) == rows[::-1]
    assert [
        one.number for one in pages(lambda token: store.list_incidents(1, open_only=True, size=1, token=token))
    ] == [9, 5]
    assert [one.number for one in pages(lambda token: store.list_outages(size=2, token=token))] == [6, 4, 2]
    assert pages(lambda token: store.list_outages(shown_only=False, size=2, token=token)) == away[::-1]
    assert store.get_incident(2, 9) is None
    commit(store, delta(outages=[msgspec.structs.replace(away[5], unknown_count=3)]))
    assert store.list_outages(size=1).rows[0].unknown_count == 3


def test_a_token_belongs_to_its_question(store):
    with_monitors(store, *(monitor(index) for index in range(1, 5)), monitor(9, project=2))
    token = store.list_monitors(1, size=2).next_token
    assert store.list_monitors(1, size=1, token=token).rows  # the size may change
    for wrong in (
        lambda: store.list_monitors(2, size=2, token=token),
        lambda: store.list_monitors(1, size=2, token=token, filter="id=m-1"),
        lambda: store.list_monitors(1, size=2, token=token, order_by="id desc"),
        lambda: store.list_check_ins(1, ANY, size=2, token=token),
        lambda: store.list_outages(size=2, token=token),
        *(
            (lambda bad=bad: store.list_monitors(1, size=2, token=bad))
            for bad in (token[:-1], "A" + token, "!", "é", "AAAA", token[::-1], "x" * 5000)
        ),
    ):
        with pytest.raises(errors.InvalidArgument) as caught:
            wrong()
        assert caught.value.reason == "PAGE_TOKEN_INVALID"


def test_an_order_that_is_none_is_refused(store):
    for bad in ("policy", "id up", "id, number", "id; DROP TABLE monitors"):
        with pytest.raises(errors.InvalidArgument) as caught:
            store.list_monitors(1, size=2, order_by=bad)
        assert caught.value.reason == "ORDER_BY_INVALID"


# --- filters


FILTERED = [
    monitor(
        1,
        id="night-backup",
        display_name="Nightly Backup",
        labels={"team": "data", "2fa": "yes"},
        owner="ann@example.org",
    ),
    monitor(
        2,
        id="web",
        display_name="100%_sure",
        labels={"team": "web"},
        origin="sentry",
        policy=Policy(kind=Kind.HEARTBEAT),
    ),
    monitor(3, id="web-2", display_name='it\'s "quoted"', labels={"a.b": "c", "wéird key": "x y"}, disabled=True),
    monitor(4, id="web_3", paused_until=NEVER),
    monitor(5, id="new", paused_until=NOW - 1),
    monitor(6, id="lone"),
]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("id = web", [2]),
        ("id=WEB", [2]),
        ("id != web", [5, 6, 1, 3, 4]),
        ('id = "web*"', [2, 3, 4]),
        ("id = web*", [2, 3, 4]),
        ("id = *_3", [4]),
        ("id:b", [1, 2, 3, 4]),
        ("id = night-backup", [1]),
        ("display_name:%_", [2]),
        ("display_name : nightly", [1]),
        ('display_name:"\'s \\"quo"', [3]),
        ('display_name = "*%*"', [2]),
        ("labels.team = data", [1]),
        ("labels.team != data", [5, 6, 2, 3, 4]),
        ("labels.team = *a*", [1]),
        ("labels.team:*", [1, 2]),
        ("labels:team", [1, 2]),
        ("NOT labels:team", [5, 6, 3, 4]),
        ('labels."a.b" = c', [3]),
        ("labels.a.b = c", [3]),
        ('labels."wéird key" = "x y"', [3]),
        ("labels.2fa = yes", [1]),
        ("owner = ann@example.org", [1]),
        ("origin = sentry", [2]),
        ("kind = heartbeat", [2]),
        ("kind != HEARTBEAT", [5, 6, 1, 3, 4]),
        ("disabled = true", [3]),
        ("disabled != true AND inactive = false", [5, 6, 1, 2, 4]),
        ("healthy = false", [1]),
        ("healthy = true", [5, 6, 2, 3, 4]),
        ("state = missed", [1]),
        ("state = late", [2]),
        ("state = paused", [4]),
        ("state = new", [5, 6]),
        ("-state = new", [1, 2, 3, 4]),
        ("id = web OR id = new AND labels:team", [2]),  # OR binds tighter
        ("(id = new) OR (id = web AND labels:team)", [5, 2]),
        ("id = web* labels.team = web", [2]),
        ("NOT (id = web* OR id = n*)", [6]),
        ("NOT id = web AND NOT id = new", [6, 1, 3, 4]),
        ('id = "\' OR 1=1 --"', []),
        ("", [5, 6, 1, 2, 3, 4]),
        (" \t", [5, 6, 1, 2, 3, 4]),
    ],
)
def test_filters(store, text, numbers):
    with_monitors(store, *FILTERED)
    moved = [
        track(1, 1, health=Health.UNHEALTHY, verdict=Verdict.MISSED),
        track(2, 2, expected=NOW - 1),
        track(3, 3, verdict=Verdict.OK),
        track(7, 3, 2, verdict=Verdict.ERROR),
        track(4, 4, verdict=Verdict.ERROR),
    ]
    commit(store, delta(*moved))
    assert {row.monitor.number for row in store.list_monitors(1, size=99, filter=text).rows} == set(numbers)


@pytest.mark.parametrize("paused", [None, NOW - 1, NOW + 1])
def test_a_filter_means_the_state_that_is_shown(store, paused):
    pool = [
        (verdict, expected, open_runs)
        for verdict in Verdict
        for expected in (NOW - 1, NOW, NEVER)
        for open_runs in (0, 1)
    ]
    made = [monitor(index, paused_until=paused) for index in range(1, len(pool) + 1)]
    with_monitors(store, *made)
    tracks = [track(index, index, verdict=v, expected=e, open_runs=o) for index, (v, e, o) in enumerate(pool, 1)]
    commit(store, delta(*tracks))
    by_state: dict[str, set[int]] = {}
    for index, (verdict, expected, open_runs) in enumerate(pool, 1):
        shown = display_state(
            paused=paused == NOW + 1, verdict=verdict, expected=expected, open_runs=open_runs, now=NOW
        )
        by_state.setdefault(shown.value, set()).add(index)
    for state, expected_numbers in by_state.items():
        found = store.list_monitors(1, size=999, filter=f"state = {state}").rows
        assert {row.monitor.number for row in found} == expected_numbers


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("colour = red", 1),
        ("id = web AND colour = red", 14),
        ("id", 3),
        ("id = ", 5),
        ("id > web", 4),
        ("id == web", 5),
        ("(id = web", 1),
        ("id = web)", 9),
        ('id = "web', 6),
        ("id = web AND", 13),
        ("state = bad", 1),
        ("healthy = perhaps", 1),
        ("kind = *", 1),
        ("id.x = web", 1),
        ("labels = x", 1),
        ('labels."a\\"b" = x', 1),
        ("AND id = web", 1),
        ("id = web ; x", 12),
        ("(" * 40, 33),
        ("id=a " * 1000, 4096),
    ],
)
def test_a_filter_that_is_none_says_where(store, text, position):
    with pytest.raises(errors.InvalidArgument) as caught:
        store.list_monitors(1, size=2, filter=text)
    assert caught.value.reason == "FILTER_INVALID"
    assert caught.value.metadata["position"] == str(position), caught.value.message


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            ["id", "labels", ".", "=", "!=", ":", "*", "(", ")", "AND", "OR", "NOT", "-", '"a b"', "x", " ", "%", "'"]
        ),
        max_size=14,
    ).map(" ".join)
)
def test_no_filter_surprises(text):
    from tocsin.store import filters

    try:
        filters.where(text)
    except errors.InvalidArgument as error:
        assert error.reason == "FILTER_INVALID"


# --- deletion and retention


def test_a_deleted_monitor_is_gone_at_once(store):
    with_monitors(store, monitor(1), monitor(2))
    run = check_in(number(1), track(1, 1), State.IN_PROGRESS, id="ab" * 16)
    other = check_in(number(2), track(2, 2), State.IN_PROGRESS, id="cd" * 16)
    commit(store, delta(run, other, incident(1, track(1, 1)), incident(2, track(2, 2))))
    again = delta(monitor(3, id="m-1"), track(3, 3))
    again.deleted_monitors.add(1)
    commit(store, again)
    assert store.get_monitor(1, "m-1").monitor.number == 3
    assert store.get_monitor(1, "m-1").incidents == {}
    assert store.get_check_in(1, "m-1", "ab" * 16) is None
    assert store.get_check_in(1, "m-1", "latest") is None
    assert store.list_check_ins(1, ANY, size=9).rows == [other]
    assert store.get_incident(1, 1) is None
    assert [one.number for one in store.list_incidents(1, size=9).rows] == [2]
    assert store.recall(Needs(check_ins={(1, run.id)})).check_ins == {}
    rows = drain(store.load())
    assert [row[0] for row in rows["tracks"]] == [2, 3]
    assert rows["open_runs"] == [other]
    # The same id may be chosen again, and outlives what it meant before.
    anew = check_in(number(5), track(3, 3), id=run.id, monitor_id="m-1")
    commit(store, delta(anew))
    while store.expire(check_ins_before=0, refusals_before=0, limit=1):
        assert store.get_check_in(1, "m-1", run.id) == anew
    assert store.recall(Needs(check_ins={(1, run.id)})).check_ins == {(1, run.id): anew}
    assert count(store, "check_ins") == 2
    assert count(store, "tracks") == 2
    assert count(store, "incidents") == 1
    assert count(store, "deleted_monitors") == 0


def count(store, table: str) -> int:
    with store.database.read() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()


def test_old_rows_go_in_slices(store):
    with_monitors(store, monitor(1))
    here = track(1, 1)
    old = [check_in(number(index, NOW - 2 * DAY), here, id=f"{index:032x}") for index in range(1, 11)]
    open_run = check_in(number(99, NOW - 2 * DAY), here, State.IN_PROGRESS, id="ef" * 16)
    new = [check_in(number(index, NOW), here, id=f"{index:032x}") for index in range(20, 25)]
    refused = [facts.CheckInRefused(1, "x", "MONITOR_NOT_FOUND", "", at, "sentry") for at in (NOW - 2 * DAY, NOW)]
    commit(store, delta(*old, open_run, *new, refusals=refused))
    slices = []
    while gone := store.expire(check_ins_before=NOW - DAY, refusals_before=NOW - DAY, limit=4):
        slices.append(gone)
    assert slices == [4, 4, 3]
    assert store.list_check_ins(1, ANY, size=99).rows == [*new[::-1], open_run]
    assert store.list_refusals(1, "x", limit=9) == refused[1:]
    assert store.list_refusals(1, "y", limit=9) == []
    assert count(store, "check_in_ids") == 6


# --- changes


def test_changes_are_logged(store):
    with_monitors(store, monitor(1), monitor(2))
    start = store.last_revision()
    here = track(1, 1, health=Health.HEALTHY, verdict=Verdict.OK)
    commit(store, delta(here))
    commit(store, delta(track(1, 1, health=Health.HEALTHY, verdict=Verdict.OK, ok_count=2)))  # nothing to see
    opened = incident(1, here)
    made = delta(
        opened, facts=[facts.IncidentOpened(opened), facts.MonitorChanged(monitor(2)), facts.MonitorChanged(monitor(2))]
    )
    commit(store, made)
    commit(store, delta(facts=[facts.MonitorDeleted(1, 2, "m-2"), facts.EnvironmentCreated(2, 5, "x")]))
    recorded = facts.CheckInRecorded(check_in(number(1), here), ReportKind.OK, finished=True)
    commit(store, delta(facts=[recorded]))
    found = store.changes_after(start, 1, limit=99)
    assert [(change.monitor, change.kind) for change in found] == [
        (1, "health"),
        (1, "incident"),
        (2, "monitor"),
        (2, "deleted"),
    ]
    assert store.changes_after(found[1].revision, 1, limit=1) == found[2:3]
    assert [change.project for change in store.changes_after(start, None, limit=99)] == [1, 1, 1, 1, 2]
    assert store.last_revision() == store.changes_after(start, None, limit=99)[-1].revision
    while store.expire(check_ins_before=0, refusals_before=NOW + 1, limit=2):
        pass
    assert store.changes_after(0, None, limit=99) == []


def test_a_change_is_logged_by_whoever_commits_it(store, tmp_path):
    with_monitors(store, monitor(1))
    good, bad = ({"health": health, "verdict": verdict} for health, verdict in ((1, Verdict.OK), (2, Verdict.ERROR)))
    commit(store, delta(track(1, 1, **good)))
    with pytest.raises(IntegrityError):
        commit(store, delta(track(1, 1, **bad), monitor(2, id="m-1")))
    commit(store, delta(track(1, 1, **good)))  # as before: what was not kept counts for nothing
    assert store.last_revision() == 1
    other = type(store)(str(store.database.writer.url))
    try:
        drain(other.load())
        commit(other, delta(track(1, 1, **bad)))
    finally:
        other.close()
    drain(store.load())
    commit(store, delta(track(1, 1, **good)))
    assert store.last_revision() == 3
    commit(store, delta(track(2**40, 1, 2, **good)))
    commit(store, delta(track(2**40, 1, 2, **bad)))
    assert store.last_revision() == 4


# --- tenants


def test_projects_get_numbers_from_one_and_slugs_of_their_own(store):
    made = [
        store.create_project(name, NOW)
        for name in ("Night jobs", "night  JOBS!", "", "日本", "deploy", "007", "x" * 100)
    ]
    assert [project.number for project in made] == [1, 2, 3, 4, 5, 6, 7]
    assert [project.slug for project in made][:6] == [
        "night-jobs",
        "night-jobs-2",
        "project",
        "project-2",
        "project-deploy",
        "project-007",
    ]
    assert store.create_project("Other", NOW, slug="mine").slug == "mine"
    assert store.list_projects()[:7] == made
    assert len({project.account_id for project in store.list_projects()}) == 8
    with pytest.raises(errors.AlreadyExists):
        store.create_project("Other", NOW, slug="mine")
    for bad in ("deploy", "12", "Über", "a b", "x" * 65):
        with pytest.raises(errors.InvalidArgument):
            store.create_project("Other", NOW, slug=bad)


def test_keys_live_until_they_are_revoked(store):
    project = store.create_project("p", NOW)
    text = new_key()
    key = store.create_key(project.number, Scope.INGEST, digest_of(text), text[-4:], NOW)
    assert store.list_keys() == store.list_keys(project.number) == [key]
    assert store.list_keys(99) == []
    with pytest.raises(errors.AlreadyExists):
        store.create_key(project.number, Scope.ADMIN, digest_of(text), text[-4:], NOW)
    with pytest.raises(errors.NotFound):
        store.create_key(99, Scope.ADMIN, digest_of("x"), "x", NOW)
    assert store.revoke_key(key.number, NOW + 1)
    assert not store.revoke_key(key.number, NOW + 2)
    assert not store.revoke_key(99, NOW)
    assert store.list_keys()[0].revoke_time == NOW + 1


def test_settings_are_kept(store):
    assert store.get_setting("public_url") is None
    store.put_setting("public_url", "http://a")
    store.put_setting("public_url", "http://b")
    assert store.get_setting("public_url") == "http://b"


OTHER_PROCESS = """
import sys
from tocsin.store import SqlStore
from tocsin.domain.project import Scope, digest_of
store = SqlStore(sys.argv[1])
project = store.create_project("from elsewhere", 1)
key = store.create_key(project.number, Scope.READ, digest_of("k"), "k", 1)
store.revoke_key(key.number, 2)
print(store.credentials_revision())
store.close()
"""


def test_another_process_may_write_beside_the_server(store):
    with_monitors(store, monitor(1))
    assert store.credentials_revision() == 0
    assert run(OTHER_PROCESS, str(store.database.writer.url)) == "3"
    assert store.credentials_revision() == 3
    assert [project.name for project in store.list_projects()] == ["from elsewhere"]
    assert store.list_keys()[0].revoke_time == 2
    commit(store, delta(monitor(2)))  # it did not take the partition away
    with pytest.raises(errors.NotFound):
        store.create_key(7, Scope.READ, b"x", "x", NOW)
    assert store.credentials_revision() == 3
