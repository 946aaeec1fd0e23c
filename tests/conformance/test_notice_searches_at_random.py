"""Alerts and notices of a stretch of time, against a list that is looked through: on either database."""

import random

import msgspec
import pytest

from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.store.notice_searches import Search, SqlNoticeSearches
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
def searches(store):
    return SqlNoticeSearches(store.database)


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
                destination=f"{chance.choice(HOOKS)}{number % 40}",
                state=chance.choice((NoticeState.SENT, NoticeState.DEAD, NoticeState.UNSUPPORTED)),
            )
        )
    outbox = SqlOutbox(store.database)
    for row in rows:
        outbox.keep((), [row])
    return [msgspec.structs.replace(row, number=number) for number, row in enumerate(rows, 1)]


def looked_through(kept: list[Notice], asked: Search) -> list[Notice]:
    found = [
        row
        for row in kept
        if row.project == asked.project
        and asked.since <= row.create_time <= asked.until
        and row.kind is not NoticeKind.EVENT
        and asked.monitor in (0, row.monitor)
        and asked.destination in ("", row.destination)
        and asked.failed in (None, row.state is not NoticeState.SENT)
    ]
    return found[::-1]


def test_they_are_those_of_a_list_that_is_looked_through(searches, kept):
    chance = random.Random(8)
    first, last = kept[0].create_time - 600, kept[-1].create_time
    for _ in range(60):
        since = chance.randint(first, last)
        asked = Search(
            chance.choice((1, 2)),
            since,
            since + chance.choice((0, 300, 5_000)),
            monitor=chance.choice((0, 1)),
            destination=chance.choice(("", "", chance.choice(kept).destination)),
            failed=chance.choice((None, True, False)),
        )
        wanted = looked_through(kept, asked)
        size, offset = chance.randint(1, 20), chance.randint(0, 20)
        found = searches.deliveries(asked, size=size, offset=offset)
        assert found == (wanted[offset : offset + size], len(wanted))
        firsts = {}
        for row in reversed(wanted):
            firsts.setdefault((row.subject, row.kind, row.sequence), row)
        alerts = sorted(firsts.values(), key=lambda row: -row.number)
        assert searches.told(asked, size=size, offset=offset) == (alerts[offset : offset + size], len(alerts))
