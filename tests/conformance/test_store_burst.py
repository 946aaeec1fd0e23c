"""Misses in columns: what is stored of a burst is what would be stored of its misses one by one."""

import msgspec

from support.engines import T0, compiler
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import Entry, PutMonitor, ReportCheckIn
from tocsin.domain.instant import HOUR, MINUTE, SECOND
from tocsin.domain.monitor import ExpectFrom, MonitorChange
from tocsin.domain.schedule import Interval, Unit
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.store import CheckInFilter


def played(store, *, kernels: bool):
    """A burst of misses, some of them answered, the next one, and what the store has then."""
    engine = Engine(compiler(), EngineSettings(kernels=kernels))
    engine.load(store.load())
    position = store.position()

    def commit() -> None:
        nonlocal position
        position += 1
        store.commit(engine.take(), position)

    for index in range(6):
        change = MonitorChange(
            policy={"schedules": (Interval(1, Unit.HOUR),), "expect_from": ExpectFrom.CREATION},
            tolerance={"failure_threshold": 1 + index % 2},
        )
        assert engine.step(Entry(T0, PutMonitor(1, f"m{index}", change))).error is None
    commit()
    columns = 0
    for hour in (1, 2, 3):
        at = T0 + hour * HOUR + 90 * SECOND
        while engine.tick(at, limit=4):
            commit()
        columns += len(engine.state.delta.opened)
        commit()
        for name in ("m0", "m3"):
            report = Report(1, name, ReportKind.OK, at + MINUTE)
            engine.step(Entry(at + MINUTE, ReportCheckIn(report)))
        commit()
    assert bool(columns) == kernels
    return engine


def shown(store):
    snapshot = store.load()
    incidents = [one for chunk in snapshot.open_incidents for one in chunk]
    tracks = sorted(tuple(row) for chunk in snapshot.tracks for row in chunk)
    rows = store.list_check_ins(1, CheckInFilter(), size=100).rows
    changes = store.changes_after(0, 1, limit=1000)
    return (
        sorted(msgspec.json.encode(one) for one in incidents),
        [row[:-1] for row in tracks],
        [msgspec.structs.replace(row, monitor_id="") for row in rows],
        sorted((change.monitor, change.kind) for change in changes),
        [msgspec.json.encode(one) for one in store.list_incidents(1, size=100).rows],
    )


def test_the_same_is_stored(open_store, tmp_path):
    found = []
    for kernels in (True, False):
        (folder := tmp_path / str(kernels)).mkdir()
        store = open_store(folder)
        played(store, kernels=kernels)
        found.append(shown(store))
        store.close()
    assert found[0] == found[1]
