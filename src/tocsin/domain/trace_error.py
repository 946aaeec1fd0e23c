"""The error of a trace: what an error tracker's client said went wrong, kept for a few days to explain a failed run."""

import msgspec

from tocsin.domain.instant import Instant


class TraceError(msgspec.Struct, frozen=True):
    project: int
    trace_id: str  # 32 hex
    at: Instant  # when it arrived
    level: str  # "error", "fatal"
    type: str  # of the exception; "": a message
    value: str  # its text
