"""Alerts and notices of a stretch of time, against a list that is looked through: on either database."""

import random

import msgspec
import pytest

from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.store.notice_log import Asked, SqlNoticeLog
from tocsin.store.outbox import SqlOutbox

CONTENT = Content("job", "Job", "missed", "production", 0, 0, uid="0" * 32)
HOOKS = ("webhook:a", "email:b", "webhook:c")


def notice(at: int, **fields) -> Notice:
    known = {
        "number": 0,
        "project": 1,
        "monitor": 1,
        "subject": at,
        "kind": NoticeKind.ALERT,
        "sequence": 1,
        "destination": HOOKS[0],
        "state": NoticeState.SENT,
        "attempts": 1,
        "create_time": at,
        "next_time": at,
        "end_time": at,
        "error": "",
        "content": CONTENT,
    }
    return Notice(**{**known, **fields})


@pytest.fixture
def log(store):
    return SqlNoticeLog(store.database)


@pytest.fixture
def kept(store):
    """Two hundred, in the order they are made; events among them come late."""
    chance, rows, at = random.Random(7), [], 1_000
    for number in range(200):
        at += chance.choice((0, 0, 1, 50))
        kind = chance.choice((NoticeKind.ALERT, NoticeKind.RECOVERY, NoticeKind.EVENT))
        rows.append(
            notice(
                at - 500 if kind is NoticeKind.EVENT else at,
                subject=number // 3,
                kind=kind,
                sequence=chance.choice((1, 2)),
                project=chance.choice((1, 1, 2)),
                monitor=chance.choice((1, 2)),
                destination=f"{chance.choice(HOOKS)}{number}",
                state=chance.choice((NoticeState.SENT, NoticeState.DEAD, NoticeState.UNSUPPORTED)),
            )
        )
    outbox = SqlOutbox(store.database)
    for row in rows:
        outbox.keep((), [row])
    return [msgspec.structs.replace(row, number=number) for number, row in enumerate(rows, 1)]


def looked_through(kept: list[Notice], asked: Asked) -> list[Notice]:
    found = [
        row
        for row in kept
        if row.project == asked.project
        and asked.since <= row.create_time <= asked.until
        and row.kind is not NoticeKind.EVENT
        and asked.monitor in (None, row.monitor)
        and (asked.destinations is None or row.destination in asked.destinations)
        and (not asked.states or row.state in asked.states)
    ]
    return found[::-1]


def test_they_are_those_of_a_list_that_is_looked_through(log, kept):
    chance = random.Random(8)
    first, last = kept[0].create_time - 600, kept[-1].create_time
    for _ in range(60):
        since = chance.randint(first, last)
        asked = Asked(
            chance.choice((1, 2)),
            since,
            since + chance.choice((0, 300, 5_000)),
            monitor=chance.choice((None, 1)),
            destinations=chance.choice((None, tuple(row.destination for row in kept[::2]), ())),
            states=chance.choice(((), (NoticeState.DEAD, NoticeState.UNSUPPORTED))),
        )
        wanted = looked_through(kept, asked)
        size, offset = chance.randint(1, 20), chance.randint(0, 20)
        found = log.notices(asked, size=size, offset=offset)
        assert found == (wanted[offset : offset + size], len(wanted))
        firsts = {}
        for row in reversed(wanted):
            firsts.setdefault((row.subject, row.kind, row.sequence), row)
        alerts = sorted(firsts.values(), key=lambda row: -row.number)
        assert log.alerts(asked, size=size, offset=offset) == (alerts[offset : offset + size], len(alerts))


def test_nothing_was_ever_told(log):
    assert log.notices(Asked(1, 0, 10), size=5, offset=0) == ([], 0)
    assert log.alerts(Asked(1, 0, 10), size=5, offset=0) == ([], 0)
