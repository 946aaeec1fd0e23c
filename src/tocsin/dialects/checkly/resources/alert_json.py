"""Alerts and notifications as Checkly shows them. Pure."""

from typing import Any, Final

from tocsin.dialects.checkly.checks.schema import HEARTBEAT
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.resources import channel_config
from tocsin.dialects.checkly.times import iso
from tocsin.domain.notice import Notice, NoticeKind, NoticeState
from tocsin.domain.notification import Channel

FAILURE: Final = "ALERT_FAILURE"
REMAIN: Final = "ALERT_FAILURE_REMAIN"
RECOVERY: Final = "ALERT_RECOVERY"
IN_PROGRESS: Final = "IN_PROGRESS"
SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILURE"
STATES: Final = {
    NoticeState.PENDING: IN_PROGRESS,
    NoticeState.PLANNED: IN_PROGRESS,
    NoticeState.SENT: SUCCESS,
    NoticeState.DEAD: FAILED,
    NoticeState.UNSUPPORTED: FAILED,
}


def alert_type(notice: Notice) -> str:
    if notice.kind is NoticeKind.RECOVERY:
        return RECOVERY
    return REMAIN if notice.content.remaining else FAILURE


def alert_id(notice: Notice) -> str:
    """The same of all notices of one alert."""
    return f"{notice.subject}-{notice.kind.value}-{notice.sequence}"


def alert_json(notice: Notice) -> dict[str, Any]:
    """A heartbeat runs nowhere and answers nothing."""
    content = notice.content
    return {
        "id": alert_id(notice),
        "name": content.name,
        "checkId": dashed(content.uid) or None,
        "alertType": alert_type(notice),
        "checkType": HEARTBEAT,
        "runLocation": "",
        "responseTime": 0,
        "error": None,
        "statusCode": None,
        "created_at": iso(notice.create_time),
        "startedAt": iso(content.started or content.since),
    }


def notification_json(notice: Notice, channel: Channel | None) -> dict[str, Any]:
    """`channel`: None where it went to somebody else, or to a channel that is gone. Secrets are shown to nobody here.

    `notificationResult`: what the last try met; null: nothing.
    """
    kind, config = notice.destination.partition(":")[0].upper().replace("-", "_"), {}
    if channel is not None:
        kind, config = channel_config.type_of(channel), channel_config.show(channel, secrets=False)
    return {
        "id": str(notice.number),
        "type": kind,
        "status": STATES[notice.state],
        "alertConfig": config,
        "notificationResult": notice.error or None,
        "timestamp": iso(notice.end_time if notice.end_time is not None else notice.create_time),
        "checkType": HEARTBEAT,
        "checkId": dashed(notice.content.uid) or None,
        "checkAlertId": alert_id(notice),
        "alertChannelId": channel.number if channel else None,
        "checkResultId": dashed(notice.content.check_in) or None,
    }
