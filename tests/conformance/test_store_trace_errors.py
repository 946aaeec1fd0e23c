"""Errors of traces: written with the batch, the later one holds, read by trace, gone after their time."""

from support.stores import NOW, commit, count, delta, drain
from tocsin.domain.instant import DAY
from tocsin.domain.trace_error import TraceError


def error(trace: int, value: str = "v", *, project: int = 1, at: int = NOW) -> TraceError:
    return TraceError(project, f"{trace:032x}", at, "error", "ValueError", value)


def keep(store, *errors: TraceError) -> None:
    commit(store, delta(trace_errors={(one.project, one.trace_id): one for one in errors}))


def test_read_by_trace_and_project(store):
    drain(store.load())
    keep(store, error(1), error(2), error(1, "other", project=2))
    keep(store, error(2, "later"))
    wanted = [f"{trace:032x}" for trace in range(1, 1_500)]
    found = {error(1).trace_id: error(1), error(2).trace_id: error(2, "later")}
    assert store.trace_errors(1, wanted) == found
    assert [one.value for one in store.trace_errors(2, wanted).values()] == ["other"]
    assert store.trace_errors(1, []) == {}


def test_old_ones_go_in_slices(store):
    drain(store.load())
    keep(store, *[error(trace, at=NOW - 4 * DAY) for trace in range(10)], error(99))
    slices = []
    while gone := store.expire(check_ins_before=0, refusals_before=0, trace_errors_before=NOW - 3 * DAY, limit=4):
        slices.append(gone)
    assert slices == [4, 4, 2]
    assert count(store, "trace_errors") == 1
