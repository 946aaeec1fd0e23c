"""What an event of Cronitor means, by the state that it names."""

from typing import Final, NamedTuple

from tocsin.domain.check_in import ReportKind
from tocsin.domain.monitor import Kind

NAME_MAX: Final = 64  # characters kept of a state that has no meaning


class Meaning(NamedTuple):
    """`by_kind`: a heartbeat takes it for a signal of life, or a lone failure; see `engine.meanings`.

    `creates` is the kind of a monitor that such an event makes.
    """

    kind: ReportKind
    by_kind: bool = False
    creates: Kind = Kind.HEARTBEAT


_SIGN: Final = Meaning(ReportKind.NOTE, by_kind=True)  # no outcome: what it means is the monitor's business
_INERT: Final = Meaning(ReportKind.NOTE)
_MEANINGS: Final = {
    "": _SIGN,
    "tick": _SIGN,
    "run": Meaning(ReportKind.START, by_kind=True, creates=Kind.JOB),
    "complete": Meaning(ReportKind.OK, by_kind=True, creates=Kind.JOB),
    "fail": Meaning(ReportKind.ERROR, by_kind=True, creates=Kind.JOB),
    "ok": Meaning(ReportKind.RESET),
}


def meaning(state: str) -> Meaning:
    """Of a state as `name_of` gives it. `logs` and what nobody knows change nothing."""
    return _MEANINGS.get(state, _INERT)


def name_of(text: str) -> str:
    """The state that a client wrote, in small letters; "" is none."""
    return text.strip().lower()[:NAME_MAX]
