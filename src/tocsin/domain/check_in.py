"""Reports and check-ins. A *report* is what a client sent; a *check-in* is what was recorded of a run or a slot."""

import enum

import msgspec

from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import MonitorChange

MAX_DURATION = 2**31 - 1  # milliseconds, 24.8 days
MAX_MESSAGE = 16_384
MAX_METRICS = 64


class ReportKind(enum.Enum):
    START = "start"  # a run begins
    BEAT = "beat"  # keep-alive inside a run: moves its time-out
    OK = "ok"  # a run ended well; alone, a signal of life
    ERROR = "error"  # a run ended badly
    RESET = "reset"  # an OK that recovers at once, whatever the threshold (Cronitor "ok")
    NOTE = "note"  # recorded, changes nothing


class State(enum.Enum):
    """State of a check-in. Values are stable: stored, on the wire, in metrics."""

    IN_PROGRESS = "in_progress"
    OK = "ok"
    ERROR = "error"
    MISSED = "missed"  # nothing came for a slot
    TIMED_OUT = "timeout"  # the run passed its limit
    UNKNOWN = "unknown"  # due while nobody could listen
    NOTE = "note"
    ABANDONED = "abandoned"  # nobody ended the run, and it was closed at last; says nothing of how it went


STATE_NUMBERS = {
    State.UNKNOWN: 0,
    State.OK: 1,
    State.ERROR: 2,
    State.IN_PROGRESS: 3,
    State.MISSED: 4,
    State.TIMED_OUT: 5,
    State.NOTE: 6,
    State.ABANDONED: 7,
}
STATES_BY_NUMBER = {number: state for state, number in STATE_NUMBERS.items()}


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message from a client, already normalised. `received` is when its request arrived here."""

    project: int
    monitor_id: str
    kind: ReportKind
    received: Instant
    environment: str = ""  # "": that of the run named, else production
    check_in_id: str | None = None  # 32 hex, chosen by the client; None or all zero: the newest open run
    time: Instant | None = None  # the client's own time, where the protocol has one
    duration_ms: Millis | None = None
    exit_code: int | None = None
    message: str = ""
    release: str = ""
    host: str = ""
    trace_id: str = ""
    metrics: dict[str, float] = {}
    series: str = ""  # pairs runs that have no id (Cronitor)
    dialect: str = "native"
    client: str = ""  # "sentry.python/2.75.0"
    monitor_number: int = 0  # where no monitor has the id: the monitor of this number, in the same project
    upsert: MonitorChange | None = None  # create or change the monitor first
    upsert_new_only: bool = False  # create it where there is none, and change none that there is
    upsert_error: str = ""  # why the configuration that came along could not be used
    pair: bool = True  # without an id: close or keep alive the newest open run; False: stand alone
    payload: str = ""  # how the dialect received it, cut: kept with a refusal, and nowhere else
    retry_safe: bool = False  # the same id with the same outcome is the same request again, not a second report
    attempt: int = 1  # more: the client tries again, and another report of the same `time` is this one
    by_kind: bool = False  # what it means depends on the kind of its monitor: see `engine.meanings`
    event: str = ""  # what the protocol calls it
    address: str = ""  # of the sender


class CheckIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run, lone signal, missed slot or unknown slot, as recorded."""

    number: int  # time-ordered; see domain/ids.py
    id: str  # 32 hex
    project: int
    monitor: int  # Monitor.number
    monitor_id: str
    track: int
    environment: str
    state: State
    receive_time: Instant  # when its first report arrived; for a miss, the slot
    update_time: Instant
    start_time: Instant | None = None
    end_time: Instant | None = None
    duration_ms: Millis | None = None
    expected_time: Instant | None = None  # the slot it was filed under
    timeout_time: Instant | None = None  # when an open run is called timed out
    late: bool = False  # arrived after its slot had been called missed
    satisfies: int | None = None  # number of the missed or unknown check-in that this one came late for
    deafened: bool = False  # open during an outage: running out means UNKNOWN, not TIMED_OUT
    policy: int = 0  # number of the policy that the monitor had when this was first recorded; 0: not known
    client_chosen: bool = False  # the id came from the client: remembered for idempotency
    exit_code: int | None = None
    message: str = ""
    release: str = ""
    host: str = ""
    trace_id: str = ""
    metrics: dict[str, float] = {}
    series: str = ""
    dialect: str = "native"
    client: str = ""
    event: str = ""  # what the protocol calls its newest report
    address: str = ""  # of who sent that
