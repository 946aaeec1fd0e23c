"""Filters on monitors mean what they say, and say where they are wrong."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from support.stores import NOW, commit, delta, monitor, track, with_monitors
from tocsin.domain import errors
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Kind, Policy
from tocsin.domain.track import Health, Verdict, display_state

FILTERED = [
    monitor(
        1,
        id="night-backup",
        display_name="Nightly Backup",
        labels={"team": "data", "2fa": "yes"},
        owner="ann@example.org",
        group="Night",
        tags=("db", "50%_off"),
    ),
    monitor(
        2,
        id="web",
        display_name="100%_sure",
        labels={"team": "web"},
        group="night",
        tags=("front end", "DB2"),
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
        ("group = Night", [1]),
        ("group != Night", [5, 6, 2, 3, 4]),
        ("group = n*", [1, 2]),
        ("group:igh", [1, 2]),
        ('group = ""', [5, 6, 3, 4]),
        ("tags:db", [1]),
        ("tags:db2", [2]),
        ('tags:"Front End"', [2]),
        ("tags:%", []),
        ('tags:"50%_off"', [1]),
        ("tags:*", [1, 2]),
        ("NOT tags:*", [5, 6, 3, 4]),
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
