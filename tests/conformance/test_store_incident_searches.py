"""Incidents by what they are narrowed to, page by page, agree with looking at all of them."""

import random

import pytest

from support.stores import NOW, commit, delta, incident, monitor, track, with_monitors
from tocsin.domain.incident import Cause
from tocsin.domain.instant import HOUR
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import IncidentSearch, Stage


@pytest.fixture
def known(store):
    chosen = random.Random(5)
    with_monitors(store, monitor(1, display_name="Nightly"), monitor(2), monitor(3, project=2))
    tracks = {1: track(1, 1), 2: track(2, 2), 3: track(3, 3), 4: track(4, 1, 2)}
    commit(store, delta(tracks[4]))
    rows, is_open = [], set()
    for number in range(1, 80):
        of = tracks[chosen.choice([1, 1, 2, 3, 4])]
        at = NOW + number * HOUR
        resolve = None if of.number not in is_open and chosen.random() < 0.1 else at + 1
        if resolve is None:
            is_open.add(of.number)
        rows.append(
            incident(
                number,
                of,
                open_time=at,
                resolve_time=resolve,
                acknowledge_time=chosen.choice([None, at]),
                cause=chosen.choice(list(Cause)),
                environment="staging" if of.environment == 2 else "production",
                project=2 if of.monitor == 3 else 1,
            )
        )
    commit(store, delta(*rows))
    return sorted((row for row in rows if row.project == 1), key=lambda row: -row.number)


def stage(row):
    if row.resolve_time is not None:
        return Stage.RESOLVED
    return Stage.OPEN if row.acknowledge_time is None else Stage.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("search", "holds"),
    [
        ({}, lambda row: True),
        ({"monitors": (1, 3)}, lambda row: row.monitor == 1),
        ({"monitors": ()}, lambda row: False),
        ({"environments": ("staging", "other")}, lambda row: row.environment == "staging"),
        ({"causes": frozenset({Cause.MISSED, Cause.ERROR})}, lambda row: row.cause in (Cause.MISSED, Cause.ERROR)),
        ({"causes": frozenset()}, lambda row: False),
        ({"stages": (Stage.OPEN,)}, lambda row: stage(row) is Stage.OPEN),
        ({"stages": (Stage.ACKNOWLEDGED, Stage.RESOLVED)}, lambda row: stage(row) is not Stage.OPEN),
        (
            {"since": NOW + 10 * HOUR, "until": NOW + 20 * HOUR},
            lambda row: NOW + 10 * HOUR <= row.open_time < NOW + 20 * HOUR,
        ),
        ({"words": ("nIGHT",)}, lambda row: row.monitor == 1),
        ({"words": ("m-2",)}, lambda row: row.monitor == 2),
        ({"words": ("m-2", "night")}, lambda row: False),
    ],
)
def test_what_is_found(store, known, search, holds):
    expected = [row.number for row in known if holds(row)]
    for oldest_first in (False, True):
        only = IncidentSearch(**search, oldest_first=oldest_first)
        found, size = [], 7
        while True:
            page = SqlBrowse(store.database).incidents(1, only, size=size, offset=len(found))
            assert page.total == len(expected)
            found += [row.number for row in page.rows]
            if len(page.rows) < size:
                break
        assert found == (expected[::-1] if oldest_first else expected)
