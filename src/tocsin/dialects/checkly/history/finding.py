"""Checks by their id, and which monitors are checks."""

from collections.abc import AsyncIterator
from typing import Final

from tocsin.dialects.checkly.call import Call
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.problems import Refused
from tocsin.dialects.checkly.services import Services
from tocsin.domain.monitor import Monitor
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.schedule import Rolling
from tocsin.domain.track import Track
from tocsin.store.port import MonitorWithHealth

_PAGE: Final = 1_000


def is_check(monitor: Monitor) -> bool:
    """Whoever made it: a monitor that waits for the next signal after each, and for nothing else."""
    schedules = monitor.policy.schedules
    return len(schedules) == 1 and isinstance(schedules[0], Rolling)


def track_of(row: MonitorWithHealth) -> Track | None:
    """A check has one; of a monitor with several environments it is the default one's."""
    return dict(row.tracks).get(DEFAULT_ENVIRONMENT)


async def check_of(services: Services, call: Call, name: str = "checkId") -> MonitorWithHealth:
    """The check that a variable of the path names; Refused 400 for what is no UUID, 404 for what is no check."""
    uid = call.uid(name)
    (found,) = await services.browsing.find_many(call.principal, [uid])
    if found is None or found.monitor.uid != uid or not is_check(found.monitor):
        raise Refused(404, f"Not Found: no check {dashed(uid)} in this account")
    return found


async def every(services: Services, call: Call) -> AsyncIterator[list[MonitorWithHealth]]:
    """All checks of the account, some at a time."""
    token = ""
    while True:
        page = await services.monitors.page(call.principal, size=_PAGE, token=token, filter="", order_by="")
        yield [row for row in page.rows if is_check(row.monitor)]
        token = page.next_token
        if not token:
            return
