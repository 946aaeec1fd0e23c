"""Check-ins as Checkly shows them: as events, and as results of a check. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.states import FAILED, state_of, time_of
from tocsin.dialects.checkly.times import iso
from tocsin.domain.check_in import CheckIn
from tocsin.domain.monitor import Monitor, Policy


def event_json(check_in: CheckIn, policy: Policy) -> dict[str, Any]:
    """`policy`: what its monitor was judged by at that time. The check-in is one that is an event."""
    state = state_of(check_in, policy.tolerance.margin_ms)
    assert state is not None
    return {
        "id": dashed(check_in.id),
        "state": state.value,
        "timestamp": iso(time_of(check_in)),
        "source": check_in.host or None,
        "userAgent": check_in.client or None,
    }


def events_json(check_ins: Sequence[CheckIn], policies: Mapping[int, Policy], monitor: Monitor) -> list[dict[str, Any]]:
    """`policies` by number; of a check-in from before they were kept it is the monitor's."""
    return [event_json(check_in, policies.get(check_in.policy, monitor.policy)) for check_in in check_ins]


def result_json(check_in: CheckIn, monitor: Monitor, fields: Collection[str] = ()) -> dict[str, Any]:
    """`fields`: only these of it; none is all."""
    at = iso(time_of(check_in))
    found = {
        "id": dashed(check_in.id),
        "name": monitor.display_name or monitor.id,
        "checkId": dashed(monitor.uid),
        "hasFailures": check_in.state in FAILED,
        "hasErrors": False,
        "isDegraded": False,
        "overMaxResponseTime": False,
        "runLocation": "",
        "startedAt": at,
        "stoppedAt": at,
        "created_at": at,
        "responseTime": 0,
        "attempts": 0,
        "resultType": "FINAL",
        "apiCheckResult": None,
        "browserCheckResult": None,
        "multiStepCheckResult": None,
    }
    return {name: value for name, value in found.items() if name in fields} if fields else found
