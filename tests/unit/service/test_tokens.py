"""Tokens of pings: found once and kept, until their monitor changes."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import nullcontext

import msgspec

from tocsin.domain.facts import MonitorDeleted
from tocsin.domain.monitor import Monitor
from tocsin.engine.delta import Delta
from tocsin.service.tokens import Found, Tokens

TOKEN, OTHER = "a" * 32, "b" * 32


class _Store:
    """`owners`: by token; `meanwhile` happens after a look-up was answered and before who asked hears of it."""

    def __init__(self, owners: dict[str, tuple[int, str]]) -> None:
        self.owners = owners
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def owners_of_tokens(self, tokens: Collection[str]) -> dict[str, tuple[int, str]]:
        self.asked += sorted(tokens)
        answer = {token: self.owners[token] for token in tokens if token in self.owners}
        self.meanwhile()
        return answer


def _changed(monitor_id: str = "job", token: str = TOKEN) -> Delta:
    return Delta(monitors={1: (Monitor(number=1, project=1, id=monitor_id, uid="u" * 32, ping_token=token), 1)})


def _tokens(store: _Store, most: int = 10) -> Tokens:
    return Tokens(store, nullcontext, within_ms=60_000, most=most)


def _find(tokens: Tokens, token: str = TOKEN) -> Found | None:
    return asyncio.run(tokens.find(token, 0))


def test_a_token_is_looked_up_once() -> None:
    store = _Store({TOKEN: (1, "job")})
    tokens = _tokens(store)
    assert [_find(tokens), _find(tokens)] == [Found(1, "job")] * 2
    assert store.asked == [TOKEN]


def test_a_token_that_nobody_has_is_looked_up_each_time() -> None:
    store = _Store({})
    tokens = _tokens(store)
    assert [_find(tokens), _find(tokens)] == [None, None]
    assert store.asked == [TOKEN] * 2


def test_the_old_token_of_a_changed_monitor_is_dead_at_once() -> None:
    store = _Store({TOKEN: (1, "job")})
    tokens = _tokens(store)
    assert _find(tokens) == Found(1, "job")
    store.owners = {OTHER: (1, "job")}
    tokens.forget(_changed(token=OTHER))
    assert _find(tokens) is None
    assert _find(tokens, OTHER) == Found(1, "job")


def test_the_token_of_a_deleted_monitor_is_dead_at_once() -> None:
    store = _Store({TOKEN: (1, "job")})
    tokens = _tokens(store)
    _find(tokens)
    store.owners = {}
    tokens.forget(Delta(deleted_monitors={1}, facts=[MonitorDeleted(1, 1, "job")]))
    assert _find(tokens) is None


def test_what_changes_elsewhere_leaves_a_token_alone() -> None:
    store = _Store({TOKEN: (1, "job")})
    tokens = _tokens(store)
    _find(tokens)
    tokens.forget(_changed("another", OTHER))
    tokens.forget(Delta(clock=5))
    assert _find(tokens) == Found(1, "job")
    assert store.asked == [TOKEN]


def test_an_answer_of_before_a_change_is_not_kept() -> None:
    store = _Store({TOKEN: (1, "job")})
    tokens = _tokens(store)

    def change() -> None:
        store.owners = {}
        tokens.forget(_changed(token=OTHER))

    store.meanwhile = change
    assert _find(tokens) == Found(1, "job")  # it was asked before
    store.meanwhile = lambda: None
    assert _find(tokens) is None


def test_of_too_many_tokens_the_oldest_is_looked_up_again() -> None:
    store = _Store({f"{number:032x}": (1, f"job-{number}") for number in range(3)})
    tokens = _tokens(store, most=2)
    names = list(store.owners)
    for name in (*names, names[2], names[1], names[0]):
        assert _find(tokens, name) == Found(*store.owners[name])
    assert store.asked == [*names, names[0]]


def test_two_monitors_that_change_places() -> None:
    store = _Store({TOKEN: (1, "job"), OTHER: (2, "job")})
    tokens = _tokens(store)
    assert [_find(tokens), _find(tokens, OTHER)] == [Found(1, "job"), Found(2, "job")]
    store.owners = {OTHER: (1, "job"), TOKEN: (2, "job")}
    first = _changed(token=OTHER)
    second = msgspec.structs.replace(first.monitors[1][0], number=2, project=2, ping_token=TOKEN)
    tokens.forget(Delta(monitors={**first.monitors, 2: (second, 1)}))
    assert [_find(tokens), _find(tokens, OTHER)] == [Found(2, "job"), Found(1, "job")]
