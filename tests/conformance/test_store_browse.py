"""Lists that turn both ways, hold still while rows come in, and counts that agree with counting."""

import random
from collections import Counter

import pytest

from support.stores import NOW, check_in, commit, delta, drain, incident, monitor, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain import errors
from tocsin.domain.check_in import State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Policy
from tocsin.domain.track import Health, TrackFlag
from tocsin.store import CheckInFilter
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import MonitorSearch, Sort, Standing, Turn


@pytest.fixture
def browse(store):
    return SqlBrowse(store.database)


@pytest.fixture
def fleet(store):
    """Monitors of every standing, and what the list must know of each: (id, name, standing, muted, owner)."""
    chosen = random.Random(7)
    monitors, tracks, known = [], [], []
    for one in range(1, 41):
        standing = chosen.choice(list(Standing))
        muted = standing is Standing.MUTED
        fields = {
            "id": f"job-{one * 17 % 41:02}",
            "display_name": chosen.choice(["", "Same", "Nightly dump", "zebra"]),
            "owner": chosen.choice(["", "user:ann", "team:ops", "team:data"]),
            "disabled": standing is Standing.DISABLED,
        }
        by_monitor = muted and one % 2 == 0
        made = monitor(one, **fields, muted_until=NEVER if by_monitor else None)
        monitors.append(made)
        health = {Standing.UNHEALTHY: Health.UNHEALTHY, Standing.HEALTHY: Health.HEALTHY}.get(standing, Health.NEW)
        flags = TrackFlag.MUTED if muted and not by_monitor else 0
        tracks.append(track(one, one, health=health, flags=int(flags)))
        known.append((made, standing, muted))
    store_all(store, monitors, tracks)
    return known


def store_all(store, monitors, tracks):
    drain(store.load())
    commit(store, delta(*monitors, *tracks, policies={1: Policy()}, environments={1: "production", 2: "staging"}))


def walk(read, *, size):
    """All pages forward, then all the way back; both must show the same rows."""
    leaf = read(Turn(), size)
    assert not leaf.more_before
    forward = [leaf.rows]
    while leaf.more_after:
        leaf = read(Turn(leaf.last), size)
        assert leaf.more_before
        forward.append(leaf.rows)
    backward = [leaf.rows]
    while leaf.more_before:
        leaf = read(Turn(leaf.first, back=True), size)
        assert leaf.more_after
        backward.append(leaf.rows)
    assert backward[::-1] == forward
    return [row for rows in forward for row in rows]


def name_of(one):
    return (one.display_name or one.id).lower()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("size", [3, 7, 100])
def test_monitors_come_in_order_and_pages_turn_both_ways(browse, fleet, sort, descending, size):
    keys = {
        Sort.ID: lambda row: row[0].id,
        Sort.NAME: lambda row: (name_of(row[0]), row[0].id),
        Sort.STANDING: lambda row: (row[1], row[0].id),
        Sort.MUTED: lambda row: (row[2], row[0].id),
    }
    expected = [row[0].id for row in sorted(fleet, key=keys[sort], reverse=descending)]
    search = MonitorSearch(sort=sort, descending=descending)
    found = walk(lambda turn, n: browse.monitors(1, search, now=NOW, size=n, turn=turn), size=size)
    assert [row.monitor.id for row in found] == expected


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        (MonitorSearch(words=("ZEB",)), lambda one, *_: "zebra" in one.display_name),
        (MonitorSearch(words=("job", "0")), lambda one, *_: "0" in one.id),
        (MonitorSearch(words=("%",)), lambda *_: False),
        (MonitorSearch(owners=("",)), lambda one, *_: not one.owner),
        (MonitorSearch(owners=("team:*",)), lambda one, *_: one.owner.startswith("team:")),
        (MonitorSearch(owners=("user:ann", "team:ops")), lambda one, *_: one.owner in ("user:ann", "team:ops")),
        (MonitorSearch(ids=("job-05",)), lambda one, *_: one.id == "job-05"),
        (MonitorSearch(ids=(f"{5:032X}",)), lambda one, *_: one.number == 5),
        (MonitorSearch(id_parts=("b-1",)), lambda one, *_: "b-1" in one.id),
        (MonitorSearch(name_parts=("nightly",)), lambda one, *_: one.display_name == "Nightly dump"),
        (MonitorSearch(standings=(Standing.UNHEALTHY,)), lambda _, standing, __: standing is Standing.UNHEALTHY),
        (MonitorSearch(standings=(Standing.DISABLED,)), lambda _, standing, __: standing is Standing.DISABLED),
        (MonitorSearch(standings=(Standing.NEW,)), lambda _, standing, __: standing in (Standing.NEW, Standing.MUTED)),
        (MonitorSearch(standings=(Standing.MUTED,)), lambda *_: False),
        (MonitorSearch(environments=("staging",)), lambda *_: False),
        (MonitorSearch(environments=("production", "staging")), lambda *_: True),
    ],
)
def test_monitors_are_narrowed(browse, fleet, search, wanted):
    found = walk(lambda turn, n: browse.monitors(1, search, now=NOW, size=n, turn=turn), size=100)
    assert [row.monitor.id for row in found] == sorted(row[0].id for row in fleet if wanted(*row))
    assert browse.monitors(2, search, now=NOW, size=9, turn=Turn()).rows == []


def test_pages_hold_still_while_monitors_come_and_go(store, browse):
    with_monitors(store, *(monitor(one, id=f"m-{one:02}") for one in range(10, 30)))
    search = MonitorSearch()
    first = browse.monitors(1, search, now=NOW, size=5, turn=Turn())
    commit(store, delta(monitor(50, id="a"), monitor(51, id="m-12-a"), monitor(52, id="z")))
    second = browse.monitors(1, search, now=NOW, size=5, turn=Turn(first.last))
    assert [row.monitor.id for row in second.rows] == [f"m-{one}" for one in range(15, 20)]
    before = browse.monitors(1, search, now=NOW, size=5, turn=Turn(second.first, back=True))
    assert [row.monitor.id for row in before.rows] == ["m-11", "m-12", "m-12-a", "m-13", "m-14"]
    assert before.more_before  # "a" and "m-10"


def test_a_token_belongs_to_its_list(store, browse):
    with_monitors(store, monitor(1), monitor(2))
    token = browse.monitors(1, MonitorSearch(), now=NOW, size=1, turn=Turn()).last
    for other, project in ((MonitorSearch(words=("m",)), 1), (MonitorSearch(sort=Sort.NAME), 1), (MonitorSearch(), 2)):
        with pytest.raises(errors.InvalidArgument):
            browse.monitors(project, other, now=NOW, size=1, turn=Turn(token))


def test_monitors_by_uid_and_id(store, browse):
    with_monitors(store, monitor(1), monitor(2), monitor(3, project=2))
    found = browse.monitors_of(1, uids=[f"{1:032x}", f"{3:032x}", "f" * 32], ids=["m-2", "m-1", "m-3"])
    assert [row.monitor.number for row in found] == [1, 2]


def test_check_ins_turn_both_ways(store, browse):
    with_monitors(store, monitor(1), monitor(2))
    here, there, other = track(1, 1), track(7, 1, 2), track(2, 2)
    rows = [check_in(number(one, NOW + one), here if one % 3 else there) for one in range(30)]
    commit(store, delta(there, *rows, check_in(number(99), other)))
    only = CheckInFilter(monitor=1)
    found = walk(lambda turn, n: browse.check_ins(1, only, (), size=n, turn=turn), size=7)
    assert [one.number for one in found] == [row.number for row in reversed(rows)]
    staging = walk(lambda turn, n: browse.check_ins(1, only, ("staging",), size=n, turn=turn), size=4)
    assert {one.environment for one in staging} == {"staging"}
    assert len(staging) == 10
    assert browse.check_ins(1, only, ("nowhere",), size=5, turn=Turn()).rows == []


def test_refusals_turn_both_ways(store, browse):
    with_monitors(store, monitor(1))
    made = delta()
    made.refusals.extend(
        CheckInRefused(1, "m-1" if one % 2 else "m-9", "CHECKIN_FINISHED", f"{one}", NOW + one, "sentry")
        for one in range(9)
    )
    commit(store, made)
    found = walk(lambda turn, n: browse.refusals(1, None, size=n, turn=turn), size=2)
    assert [refusal.detail for refusal in found] == [str(one) for one in reversed(range(9))]
    mine = walk(lambda turn, n: browse.refusals(1, "m-1", size=n, turn=turn), size=3)
    assert [refusal.detail for refusal in mine] == ["7", "5", "3", "1"]


@pytest.mark.parametrize("environments", [(), ("production",), ("staging", "production"), ("nowhere",)])
def test_counts_agree_with_counting(store, browse, environments):
    with_monitors(store, monitor(1), monitor(2))
    names = {1: "production", 7: "staging", 2: "production"}
    tracks = {1: track(1, 1), 7: track(7, 1, 2), 2: track(2, 2)}
    chosen = random.Random(3)
    rows = []
    for one in range(300):
        of = tracks[chosen.choice((1, 7, 2))]
        at = NOW + chosen.randrange(100_000)
        length = chosen.choice((None, 5, 40))
        rows.append(check_in(number(one, at), of, chosen.choice(list(State)), duration_ms=length))
    commit(store, delta(tracks[7], *rows))
    since, until, width = NOW + 10_000, NOW + 90_000, 7_000
    expected = Counter()
    for row in rows:
        name = names[row.track]
        if since <= row.receive_time < until and (not environments or name in environments):
            start = since + (row.receive_time - since) // width * width
            expected[row.monitor, name, start, row.state] += 1
    found = browse.counts([1, 2], since=since, until=until, width=width, environments=environments)
    assert {(one.monitor, one.environment, one.start, one.state): one.number for one in found} == dict(expected)
    inside = [row for row in rows if since <= row.receive_time < until]
    if not environments:
        assert sum(one.duration for one in found) == sum(row.duration_ms or 0 for row in inside)
        assert sum(one.durations for one in found) == sum(row.duration_ms is not None for row in inside)


def test_times_beyond_all_check_ins(store, browse):
    """Numbers end in 2109, instants in 9999."""
    with_monitors(store, monitor(1))
    commit(store, delta(check_in(number(1), track(1, 1))))
    last = 253_402_300_799_999
    only = CheckInFilter(monitor=1, since=last - 1, until=last)
    assert browse.check_ins(1, only, (), size=5, turn=Turn()).rows == []
    assert store.list_check_ins(1, only, size=5).rows == []
    assert browse.counts([1], since=last - 1, until=last, width=1, environments=()) == []


def test_open_incidents_come_along(store, browse):
    with_monitors(store, monitor(1))
    commit(store, delta(track(1, 1, incident=4), incident(4, track(1, 1))))
    (row,) = browse.monitors(1, MonitorSearch(), now=NOW, size=5, turn=Turn()).rows
    assert list(row.incidents) == [4]
