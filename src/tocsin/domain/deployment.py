"""Deployments: a program of somebody declares resources, which are made, changed and removed as it says.

A program has a name of its own choice in its project, its namespace. A binding says which resource stands for one that
the program declares; so the same declaration finds the same resource again.
"""

import enum
from typing import Final, NamedTuple

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Instant

NAMESPACE_MAX: Final = 200  # bytes, as the others below: PostgreSQL has a bound on what an index holds
LOGICAL_ID_MAX: Final = 1_000
NAME_MAX: Final = 800
SOURCE_MAX: Final = 1_000


class Program(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is deployed together."""

    id: str  # a UUID; survives nothing but itself
    namespace: str
    display_name: str = ""
    source: str = ""  # where its text is kept, a URL
    create_time: Instant = 0
    update_time: Instant = 0


INTENDED: Final = "?"  # what the resource of a binding begins with that may not be there yet: its name follows


class Binding(NamedTuple):
    """A resource that a program declares, and what it is here.

    Bound is what no other resource will ever have: nothing that comes later under the same name is taken for it.
    """

    type: str  # in the words of its dialect
    logical_id: str  # the name that the program knows it by
    resource: str  # uid or number; INTENDED and the name that it will have, until it is there

    @property
    def intended(self) -> str:
        """The name that it will have; "" once it is there."""
        return self.resource.removeprefix(INTENDED) if self.resource.startswith(INTENDED) else ""


class Owner(NamedTuple):
    """Who declares a resource, and by what name."""

    program: Program
    logical_id: str


class State(enum.Enum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        return self not in (State.PENDING, State.RUNNING)


class Action(enum.Enum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"  # also of what says the same as before
    DELETE = "DELETE"
    DETACH = "DETACHED"  # stays, and belongs to no program any more


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of one resource."""

    type: str
    logical_id: str
    action: Action
    public: str | int | None = None  # the name that its dialect shows it by; None: it has none yet


class Deployment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One go of making it so, or of taking everything away."""

    id: str  # a UUID
    project: int
    namespace: str
    state: State = State.PENDING
    progress: int = 0  # percent
    error_code: str = ""
    error: str = ""  # what went wrong, for people
    program: Program | None = None  # None: nothing came of it
    steps: tuple[Step, ...] = ()
    create_time: Instant = 0
    start_time: Instant | None = None
    end_time: Instant | None = None  # None: it is not over
    cancel_time: Instant | None = None  # when somebody asked for its end


def check_length(text: str, most: int, field: str) -> str:
    """1 to so many bytes of UTF-8, none of them NUL. InvalidArgument names the field."""
    if not text or "\0" in text or len(text.encode("utf-8", "surrogatepass")) > most:
        raise errors.invalid(field, f"has 1 to {most} bytes, none of them NUL")
    return text
