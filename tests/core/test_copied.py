"""Check-ins in columns are what a small parser of PostgreSQL's binary format reads back, and who changes them waits."""

import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.meanwhile import ROUNDS, Meanwhile
from tocsin._core import bulk, tallies
from tocsin._core.opened import Opened
from tocsin._core.recorded import Recorded
from tocsin.domain.instant import NEVER

LONG = st.integers(-(2**63), 2**63 - 2)
NARROW = st.integers(0, 2**32 - 2)
ROW = st.tuples(
    *[LONG] * 3,
    st.integers(0, 6),
    *[LONG] * 2,
    st.none() | LONG,
    st.none() | st.integers(0, 2**31 - 1),
    st.none() | LONG,
    *[NARROW] * 3,
    st.none() | NARROW,
)
PARTS = st.lists(st.tuples(st.lists(ROW, max_size=150), LONG, st.text(st.characters(codec="utf-8"), max_size=9)))


def recorded(rows):
    made = Recorded()
    for row in rows:
        made.append(*row)
    return made


def read_back(data):
    """Rows of fields, None or bytes, as PostgreSQL's documentation has them."""
    assert data[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    at, rows = 19, []
    while (count := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        rows.append([])
        for _ in range(count):
            size = struct.unpack_from(">i", data, at)[0]
            rows[-1].append(None if size < 0 else data[at + 4 : at + 4 + size])
            at += 4 + max(size, 0)
    assert at + 2 == len(data)
    return rows


def wanted(parts):
    for rows, project, detail in parts:
        for row in rows:
            number, monitor, track, state, received, updated, ended, duration, expected, policy = row[:10]
            yield (
                *(number, project, monitor, track, state, received, updated, ended, duration, expected),
                *(False, False, detail or None, policy),
            )


def value(name, data):
    if data is None:
        return None
    if name == "detail":
        return data.decode()
    assert len(data) == {"state": 2, "late": 1, "deafened": 1}.get(name, 8)
    return int.from_bytes(data, "big", signed=True)


@given(PARTS)
def test_a_copy_is_read_back(parts):
    rows = read_back(bulk.copied([(recorded(rows), *others) for rows, *others in parts]))
    found = [tuple(value(name, field) for name, field in zip(bulk.COLUMNS, row, strict=True)) for row in rows]
    assert found == list(wanted(parts))


@given(PARTS)
def test_parameters_hold_the_same(parts):
    found = []
    width, left = len(bulk.PARAMETERS), sum(len(rows) for rows, *_ in parts)
    for count, flat in bulk.parameters([(recorded(rows), *others) for rows, *others in parts]):
        assert count <= min(bulk.MOST, left)
        assert count & (count - 1) == 0
        assert len(flat) == count * width
        left -= count
        found += [tuple(flat[i : i + width]) for i in range(0, len(flat), width)]
    names = [bulk.COLUMNS.index(name) for name in bulk.PARAMETERS]
    null = {"end_time": NEVER, "expected_time": NEVER, "duration_ms": -1, "detail": ""}
    assert found == [tuple(null[bulk.COLUMNS[i]] if row[i] is None else row[i] for i in names) for row in wanted(parts)]
    assert left == 0


@given(st.lists(ROW, max_size=30), st.integers(0, 5))
def test_rows_are_what_was_appended(rows, offset):
    made = recorded(rows)
    assert [made.row(i) for i in range(len(made))] == rows
    assert list(made.numbers()) == [row[0] for row in rows]
    made.extend(made, 0)
    assert [made.row(i) for i in range(len(made))] == rows * 2


@given(st.lists(st.tuples(st.none() | st.integers(0, 99), st.integers(0, 10**6))), st.sets(st.integers(0, 99)))
def test_counts_are_what_a_loop_counts(rows, bounds):
    made = recorded((1, 1, 1, 1, at, at, None, duration) for duration, at in rows)
    bounds = sorted(bounds)
    for lengths, found in (
        ([d for d, _ in rows if d is not None], tallies.durations(made, array("q", bounds))),
        ([10**6 - at for _, at in rows], tallies.delays(made, 10**6, array("q", bounds))),
    ):
        upto = [sum(length <= bound for length in lengths) for bound in bounds]
        counts = [b - a for a, b in zip([0, *upto], [*upto, len(lengths)], strict=True)]
        assert found == (counts, sum(lengths))
    assert tallies.minutes(made) == {
        m: sum(at // 60_000 == m for _, at in rows) for m in {at // 60_000 for _, at in rows}
    }


def test_lids_refuse():
    made = recorded([(1, 1, 1, 1, 5, 5)])
    for state in (-1, 8, 2**20):
        with pytest.raises(ValueError, match="no state"):
            made.append(1, 1, 1, state, 5, 5)
    with pytest.raises(ValueError, match="duration"):
        made.append(1, 1, 1, 1, 5, 5, None, -1)
    for wrong in ((2**63, 1, 1, 1, 5, 5), (1, 1, 1, 1, 5, 5, None, 2**31), (1, 1, 1, 1, 5, 5, None, None, 2**63)):
        with pytest.raises(OverflowError):
            made.append(*wrong)
    for index in (-1, 1, 2**62):
        with pytest.raises(IndexError):
            made.row(index)
    for part in ((None, 1, ""), (made, True, ""), (made, 1, b""), (made, 1), (Opened(), 1, "")):
        for call in (bulk.copied, bulk.parameters):
            with pytest.raises((TypeError, ValueError)):
                call([part])
    with pytest.raises(OverflowError):
        bulk.copied([(made, 2**63, "")])
    with pytest.raises(UnicodeEncodeError):
        bulk.copied([(made, 1, "\ud800")])
    for bounds in (None, b"12", array("i", [1])):
        with pytest.raises((TypeError, ValueError)):
            tallies.durations(made, bounds)
    assert tallies.delays(recorded([(1, 1, 1, 1, 5, -(2**63))]), 2**63 - 1, array("q"))[0] == [1]
    assert len(made) == 1
    made.extend(made)  # nobody holds it any more
    assert len(made) == 2


def test_nobody_adds_check_ins_while_they_are_copied():
    made, other = Recorded(), recorded([(1, 1, 1, 1, 5, 5)])
    for i in range(20_000):
        made.append(i, 1, 1, 1, 5, 5)
    refused = set()

    def disturb():
        try:
            made.extend(other)
        except RuntimeError as error:
            refused.add(str(error))
        assert made.row(7)[0] == 7

    with Meanwhile(disturb):
        for _ in range(ROUNDS):
            bulk.copied([(made, 1, ""), (made, 2, "twice")])
            if refused:
                break
    assert refused == {"another thread reads these check-ins"}
    made.extend(other)
