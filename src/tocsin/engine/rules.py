"""THE tables. What a report does to a run, and what an outcome does to health; nothing else changes either.

`RUNS` is read as: a run in this state (None: no such run) meets a report of this kind.
`HEALTH` is read as: a track of this health meets an outcome; answer the new health and what becomes of the incident.
Documentation and tests read the same tables, and `plain` derives from them what kernels may do by themselves.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.track import Health, Verdict


class Action(enum.Enum):
    """What becomes of the run."""

    OPEN = "open"  # a new run
    ALONE = "alone"  # a new check-in without a start
    KEEP_ALIVE = "keep_alive"  # its time-out moves
    CLOSE = "close"  # it ends
    REOPEN = "reopen"  # UNKNOWN or ABANDONED, yet alive
    REORDER = "reorder"  # the start came after the end: only the start time is noted
    CLOSE_LATE = "close_late"  # it had timed out and stays so; end and duration are noted
    END_AGAIN = "end_again"  # it ended badly: a retry ends it again where the project says so; else as FINISHED
    FINISHED = "finished"  # refused: it had ended (or, for a client that retries, the same answer again)
    NOTE = "note"  # recorded beside it


_S, _K, _A = State, ReportKind, Action

RUNS: Final[Mapping[tuple[State | None, ReportKind], Action]] = MappingProxyType(
    {
        (None, _K.START): _A.OPEN,
        (None, _K.BEAT): _A.OPEN,  # its start was lost on the way
        (None, _K.OK): _A.ALONE,
        (None, _K.ERROR): _A.ALONE,
        (_S.IN_PROGRESS, _K.START): _A.KEEP_ALIVE,
        (_S.IN_PROGRESS, _K.BEAT): _A.KEEP_ALIVE,
        (_S.IN_PROGRESS, _K.OK): _A.CLOSE,
        (_S.IN_PROGRESS, _K.ERROR): _A.CLOSE,
        (_S.UNKNOWN, _K.START): _A.REOPEN,
        (_S.UNKNOWN, _K.BEAT): _A.REOPEN,
        (_S.UNKNOWN, _K.OK): _A.CLOSE,
        (_S.UNKNOWN, _K.ERROR): _A.CLOSE,
        **{(_S.ABANDONED, kind): _A.REOPEN for kind in (_K.START, _K.BEAT)},
        **{(_S.ABANDONED, kind): _A.CLOSE for kind in (_K.OK, _K.ERROR)},
        (_S.TIMED_OUT, _K.START): _A.FINISHED,
        (_S.TIMED_OUT, _K.BEAT): _A.FINISHED,
        (_S.TIMED_OUT, _K.OK): _A.CLOSE_LATE,
        (_S.TIMED_OUT, _K.ERROR): _A.CLOSE_LATE,
        **{(state, kind): _A.REORDER for state in (_S.OK, _S.ERROR) for kind in (_K.START, _K.BEAT)},
        (_S.OK, _K.OK): _A.FINISHED,
        (_S.OK, _K.ERROR): _A.FINISHED,
        (_S.ERROR, _K.OK): _A.END_AGAIN,
        (_S.ERROR, _K.ERROR): _A.END_AGAIN,
        **{
            (state, kind): _A.FINISHED
            for state in (_S.MISSED, _S.NOTE)
            for kind in (_K.START, _K.BEAT, _K.OK, _K.ERROR)
        },
        **{(state, _K.RESET): _A.ALONE for state in (None, *State)},
        **{(state, _K.NOTE): _A.NOTE for state in (None, *State)},
    }
)


class Outcome(enum.Enum):
    """What happened, measured against the thresholds."""

    GOOD = "good"  # an OK, too few in a row yet
    GOOD_ENOUGH = "good_enough"  # the recovery threshold is reached
    BAD = "bad"  # a failure, too few in a row yet
    TOO_BAD = "too_bad"  # a failure threshold is reached
    UNJUDGED = "unjudged"  # nobody could listen


class Effect(enum.Enum):
    NONE = "none"
    OPEN = "open"
    CONTINUE = "continue"
    RESOLVE = "resolve"


_H, _O, _E = Health, Outcome, Effect

HEALTH: Final[Mapping[tuple[Health, Outcome], tuple[Health, Effect]]] = MappingProxyType(
    {
        (_H.NEW, _O.GOOD): (_H.HEALTHY, _E.NONE),
        (_H.NEW, _O.GOOD_ENOUGH): (_H.HEALTHY, _E.NONE),
        (_H.NEW, _O.BAD): (_H.NEW, _E.NONE),
        (_H.NEW, _O.TOO_BAD): (_H.UNHEALTHY, _E.OPEN),
        (_H.NEW, _O.UNJUDGED): (_H.NEW, _E.NONE),
        (_H.HEALTHY, _O.GOOD): (_H.HEALTHY, _E.NONE),
        (_H.HEALTHY, _O.GOOD_ENOUGH): (_H.HEALTHY, _E.NONE),
        (_H.HEALTHY, _O.BAD): (_H.HEALTHY, _E.NONE),
        (_H.HEALTHY, _O.TOO_BAD): (_H.UNHEALTHY, _E.OPEN),
        (_H.HEALTHY, _O.UNJUDGED): (_H.HEALTHY, _E.NONE),
        (_H.UNHEALTHY, _O.GOOD): (_H.UNHEALTHY, _E.NONE),
        (_H.UNHEALTHY, _O.GOOD_ENOUGH): (_H.HEALTHY, _E.RESOLVE),
        (_H.UNHEALTHY, _O.BAD): (_H.UNHEALTHY, _E.CONTINUE),
        (_H.UNHEALTHY, _O.TOO_BAD): (_H.UNHEALTHY, _E.CONTINUE),
        (_H.UNHEALTHY, _O.UNJUDGED): (_H.UNHEALTHY, _E.NONE),
    }
)


def plain() -> bytes:
    """For kernels: 1 where a lone report changes neither what is thought of its track nor any run, so that it is plain.

    A cell for each kind of report, health, verdict and whether its count of OKs in a row is GOOD_ENOUGH, in this order;
    kinds in the order of `ReportKind`. Only an OK moves nothing but times: what else stands alone says something.
    """
    return bytes(
        RUNS[None, kind] is Action.ALONE
        and kind is ReportKind.OK
        and verdict is Verdict.OK
        and HEALTH[health, outcome] == (health, Effect.NONE)
        for kind in ReportKind
        for health in Health
        for verdict in Verdict
        for outcome in (Outcome.GOOD, Outcome.GOOD_ENOUGH)
    )


def misses() -> bytes:
    """For kernels: what a miss makes of a track. A cell for each health and whether it is TOO_BAD, in this order.

    The new health, plus 16 where an incident is opened; 255 where one is open already, which rules continue.
    """
    return bytes(
        255 if effect not in (Effect.NONE, Effect.OPEN) else int(health) | (16 if effect is Effect.OPEN else 0)
        for before in Health
        for outcome in (Outcome.BAD, Outcome.TOO_BAD)
        for health, effect in (HEALTH[before, outcome],)
    )
