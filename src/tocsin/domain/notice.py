"""A notice: one thing told to one destination. And what is known of how an incident has been told."""

import enum
import hashlib

import msgspec

from tocsin.domain.instant import Instant


class NoticeKind(enum.IntEnum):
    """Numbers are stored."""

    ALERT = 1  # something is wrong, is wrong still, or something else is wrong too
    RECOVERY = 2  # all is well again
    EVENT = 3  # a report of which somebody wants to know, see `AlertPolicy.events`


class NoticeState(enum.IntEnum):
    """Numbers are stored; what is not over is small, see `store.notification_tables`."""

    PENDING = 0  # waits for delivery, for the first time or again
    PLANNED = 1  # an event of which nobody has looked up yet who is to be told
    SENT = 2
    DEAD = 3  # given up
    UNSUPPORTED = 4  # nothing here can deliver to such a destination


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told, apart from how it is worded and who hears it."""

    monitor_id: str  # as people know it
    name: str  # of the monitor, for people
    rule: str  # what was broken: "missed", "error", "timeout", an assertion; of an event, its name
    environment: str
    at: Instant  # when it was decided to tell
    since: Instant  # when the incident opened; of an event, when it happened
    causes: tuple[str, ...] = ()  # all that is wrong at the time
    reminder: bool = False  # the same was told before
    group: str = ""
    message: str = ""  # what the report said
    schedule: str = ""  # what a missed run was missed by
    resource_id: str = ""  # the last part of the monitor's name; "": `monitor_id`
    uid: str = ""  # of the monitor
    failures: int = 0  # counted into the incident so far
    remaining: bool = False  # told later than at the first failure: it was waited for, or it is a reminder
    reminder_sequence: int = 0  # of a reminder: how many alerts fell due before; else 0
    check_in: str = ""  # id of the newest failure; of a recovery, of the check-in that recovered it
    started: Instant = 0  # when that came
    description: str = ""  # of the monitor, for people
    tags: tuple[str, ...] = ()  # of the monitor and of its group


class Notice(msgspec.Struct, frozen=True):
    """Rows of the outbox. (subject, kind, sequence, destination) is there once."""

    number: int  # given by the store
    project: int
    monitor: int  # Monitor.number
    subject: int  # number of the incident; of an event, of the check-in
    kind: NoticeKind
    sequence: int  # alerts and the recovery of an incident count from 1 and leave none out
    destination: str
    state: NoticeState
    attempts: int
    create_time: Instant
    next_time: Instant  # when to try next, while it is pending
    end_time: Instant | None  # when it was sent or given up
    error: str  # what the last try met
    content: Content

    @property
    def idempotency_key(self) -> str:
        """The same at each try, and of no other notice: who has seen it before has been told already."""
        parts = (self.project, self.subject, self.kind.value, self.sequence, self.destination, self.create_time)
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the telling of one incident has come; kept until it is over."""

    sent: int = 0  # alerts so far, reminders included
    passed: int = 0  # those that fell due in a silence that is final
    last: Instant = 0  # when the newest of either was decided
    causes: tuple[str, ...] = ()  # of those that are wrong now, the ones that were told or passed over
    seen: dict[str, Instant] = {}  # the others, and since when
    recipients: tuple[str, ...] = ()  # all that were told
    hushed: bool = False  # somebody or something wanted silence since
    silence: Instant = 0  # up to when a final one was seen to last; reminders in it are counted when it is over
