"""From what is to be said to notices: what each says, and one for each destination that wants to hear it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Escalation
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.domain.notification import parts
from tocsin.notify import routing
from tocsin.notify.planner import Saying
from tocsin.schedule import describe
from tocsin.store.subscribed import Flags
from tocsin.store.tellable import Known, Named

_SILENCE: Final = ("missed", "timeout")


class Surroundings(NamedTuple):
    """What telling asks of the rest of the server; answers come at once."""

    # (project, number of the monitor, environment, at, tags of its group): a window wants nobody to be told of it
    silenced: Callable[[int, int, str, Instant, Collection[str]], bool] = lambda *_: False
    shown_id: Callable[[str, Mapping[str, object]], str] = lambda monitor_id, _extras: monitor_id  # to people
    shown_schedule: Callable[[Mapping[str, object]], str] = lambda _extras: ""  # "": in words of ours
    planned: Callable[[Collection[Notice]], None] = lambda _notices: None  # is told of notices that were made
    project_escalation: Callable[[int], Escalation | None] = lambda _project: None  # None: it decides nothing
    description: Callable[[Mapping[str, object]], str] = lambda _extras: ""  # of the monitor, for people


def about(one: Known, saying: Saying) -> str:
    """The id of the check-in that it is about; "": of none."""
    return one.resolving_check_in if saying.kind is NoticeKind.RECOVERY else one.last_check_in


def notices(
    one: Known,
    saying: Saying,
    now: Instant,
    check_in: CheckIn | None,
    around: Surroundings,
    flags: Mapping[tuple[int, str], Flags],
) -> Iterable[Notice]:
    """Of an incident, to all destinations but the channels that do not want such a notice.

    `check_in` is what it is about, if it is there.
    """
    recovers = saying.kind is NoticeKind.RECOVERY
    content = Content(
        **naming(one, around.shown_id(one.monitor_id, one.extras)),
        rule=saying.rule,
        schedule=around.shown_schedule(one.extras) or describe(one.schedules),
        environment=one.environment,
        at=now,
        since=one.open_time,
        causes=() if recovers else one.causes,
        reminder=saying.reminder,
        message=check_in.message if check_in and not recovers and saying.rule not in _SILENCE else "",
        uid=one.uid,
        failures=one.failures,
        remaining=saying.remaining,
        reminder_sequence=saying.reminder_sequence,
        check_in=about(one, saying),
        started=_started(one, saying, check_in),
        description=around.description(one.extras),
        tags=one.tags,
    )
    draft = Notice(
        number=0,
        project=one.project,
        monitor=one.monitor,
        subject=one.number,
        kind=saying.kind,
        sequence=saying.sequence,
        destination="",
        state=NoticeState.PENDING,
        attempts=0,
        create_time=now,
        next_time=now,
        end_time=None,
        error="",
        content=content,
    )
    for destination in saying.destinations:
        wanted = flags.get((one.project, channel_in(destination)), Flags())
        if wanted.recovery if recovers else wanted.failure:
            yield addressed(draft, destination)


def _started(one: Known, saying: Saying, check_in: CheckIn | None) -> Instant:
    """When what it is about came. A miss came at its deadline, which may be a while before anybody looked."""
    if check_in is not None:
        return check_in.update_time if check_in.state is State.MISSED else check_in.receive_time
    number = ids.number_of(about(one, saying))
    return (one.resolve_time or one.open_time) if number is None else ids.instant_of(number)


def channel_in(destination: str) -> str:
    """The key of the channel that a destination may stand for; "": it stands for none."""
    _, target = parts(destination) or ("", "")
    return "" if "://" in target else target


def naming(monitor: Known | Named, shown: str) -> dict[str, str]:
    """Fields of `Content` that say which monitor it is."""
    return {
        "monitor_id": shown,
        "name": monitor.display_name or shown,
        "group": monitor.group,
        "resource_id": "" if shown == monitor.monitor_id else monitor.monitor_id,
    }


def addressed(draft: Notice, destination: str) -> Notice:
    """To a destination; what nothing here can deliver to is over at once, and says so."""
    reason = routing.unsupported(destination)
    return msgspec.structs.replace(
        draft,
        number=0,
        destination=destination,
        state=NoticeState.UNSUPPORTED if reason else NoticeState.PENDING,
        end_time=draft.create_time if reason else None,
        error=reason,
    )
