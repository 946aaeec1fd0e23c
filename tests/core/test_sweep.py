"""Totals over the rosters, against the domain's own idea of a state, track by track."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.sweep import STATES, tally
from tocsin.domain.instant import NEVER
from tocsin.domain.track import DisplayState, Health, TrackFlag, Verdict, display_state

NOW = 1_000_000
INSTANTS = st.sampled_from((0, NOW - 1, NOW, NOW + 1, NEVER))
TRACKS = st.fixed_dictionaries(
    {
        "project": st.integers(0, 3),
        "pause_until": INSTANTS,
        "mute_until": INSTANTS,
        "health": st.sampled_from(Health),
        "verdict": st.sampled_from(Verdict),
        "flags": st.integers(0, 7),
        "open_runs": st.integers(0, 2),
        "expected": INSTANTS,
        "closed": st.booleans(),
    }
)


@given(st.lists(TRACKS, max_size=30))
def test_every_open_track_is_counted_once_in_its_state(rows):
    tracks, monitors = TrackRoster(), MonitorRoster()
    wanted: Counter[tuple[int, str]] = Counter()
    for row in rows:
        monitor = monitors.open()
        for name in ("project", "pause_until", "mute_until"):
            monitors.set(monitor, name, row[name])
        track = tracks.open()
        tracks.set(track, "monitor", monitor)
        for name in ("health", "verdict", "flags", "open_runs", "expected"):
            tracks.set(track, name, int(row[name]))
        if row["closed"]:
            tracks.close(track)
            continue
        if row["project"] >= 3:
            continue  # beyond the projects that are asked for
        state = display_state(
            paused=row["pause_until"] > NOW,
            verdict=row["verdict"],
            expected=row["expected"],
            open_runs=row["open_runs"],
            now=NOW,
        )
        wanted[row["project"], state.value] += 1
        muted = row["mute_until"] > NOW or row["flags"] & TrackFlag.MUTED
        if row["health"] is Health.UNHEALTHY and not muted:
            wanted[row["project"], "unhealthy"] += 1
    counts = tally(tracks, monitors, NOW, 3)
    names = (*STATES, "unhealthy")
    found = Counter({(p, name): count for p, row in enumerate(counts) for name, count in zip(names, row, strict=True)})
    assert +found == wanted


def test_a_track_that_was_just_opened_belongs_to_nobody():
    tracks = TrackRoster()
    tracks.open()
    assert tally(tracks, MonitorRoster(), NOW, 1) == [[0] * (len(STATES) + 1)]


def test_every_state_is_counted():
    assert set(STATES) == {state.value for state in DisplayState}


def test_too_many_projects_are_refused():
    with pytest.raises(ValueError, match="16777217"):
        tally(TrackRoster(), MonitorRoster(), 0, (1 << 24) + 1)
