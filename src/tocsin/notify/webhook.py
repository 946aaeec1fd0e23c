"""A webhook: notices as JSON in a POST request, several in one when many wait for the same place."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from tocsin.domain import names
from tocsin.domain.incident import Cause
from tocsin.domain.instant import SECOND, Instant, Millis, to_rfc3339
from tocsin.domain.notice import Content, Notice, NoticeKind
from tocsin.outgoing import Answer, Client, Failed, Refused

_TYPES: Final = {NoticeKind.ALERT: "ALERT", NoticeKind.RECOVERY: "RECOVERY", NoticeKind.EVENT: "EVENT"}
_AGAIN: Final = (408, 425, 429)  # besides 5xx: the same request may be taken later
_WORDS: Final = {"missed": "did not run in time", "error": "failed", "timeout": "ran too long"}
_EVENTS: Final = {"run": "has begun", "complete": "has ended well", "fail": "has failed"}


class Pace(NamedTuple):
    """How hard it is tried where that is not as everywhere."""

    retries: int  # after the first try
    pause_ms: Millis  # before each of them


class Outcome(NamedTuple):
    """Of one request."""

    sent: bool
    again: bool = False  # it may be taken later
    after_ms: Millis = 0  # not before, says who was asked
    error: str = ""
    taken: int = 0  # of how many of the notices it is, the first ones; 0: of all
    pace: Pace | None = None  # None: as everywhere


async def send(client: Client, url: str, notices: Sequence[Notice], public_url: str, now: Instant) -> Outcome:
    """One request for all of them."""
    content = [payload(notice, public_url) for notice in notices]
    whole = content[0] if len(content) == 1 else grouped(notices, content)
    headers = {"Content-Type": "application/json", "Idempotency-Key": whole["idempotency_key"]}
    return await ask(client, "POST", url, headers, msgspec.json.encode(whole), now)


async def ask(
    client: Client,
    method: str,
    url: str,
    headers: Mapping[str, str | bytes],
    body: bytes,
    now: Instant,
    *,
    always: bool = False,
) -> Outcome:
    """One request. `always`: see `outcome_of`."""
    try:
        answer = await client.request(method, url, headers=headers, body=body)
    except Refused as error:
        return Outcome(sent=False, error=str(error))
    except Failed as error:
        return Outcome(sent=False, again=True, error=str(error))
    return outcome_of(answer, now, always=always)


def outcome_of(answer: Answer, now: Instant, *, always: bool = False) -> Outcome:
    """`always`: whatever kind of trouble it is, the same request may be taken later."""
    if 200 <= answer.status < 300:
        return Outcome(sent=True)
    again = answer.status >= (400 if always else 500) or answer.status in _AGAIN
    return Outcome(
        sent=False, again=again, after_ms=retry_after_ms(answer.headers, now), error=f"answered {answer.status}"
    )


def payload(notice: Notice, public_url: str) -> dict[str, Any]:
    """One notice, as receivers read it."""
    content = notice.content
    base = f"{public_url}/v1"
    monitor = names.monitor_name(notice.project, quote(content.resource_id or content.monitor_id, safe=""))
    incident = names.incident_name(notice.project, notice.subject)
    is_event = notice.kind is NoticeKind.EVENT
    return {
        "id": content.monitor_id,
        "monitor": content.name,
        "description": description(notice),
        "type": _TYPES[notice.kind],
        "rule": _rule(content.rule, content),
        "environment": content.environment,
        "group": content.group or None,
        "issue_url": None if is_event else f"{base}/{incident}",
        "monitor_url": f"{base}/{monitor}",
        "incident": None if is_event else incident,
        "sequence": notice.sequence,
        "reminder": content.reminder,
        "rules": [_rule(cause, content) for cause in content.causes],
        "since": to_rfc3339(content.since),
        "time": to_rfc3339(content.at),
        "message": content.message or None,
        "idempotency_key": notice.idempotency_key,
    }


def _rule(cause: str, content: Content) -> str:
    """As receivers know it: the schedule that was missed, "fail", or the text of an assertion."""
    if cause == Cause.MISSED.value:
        return content.schedule or "schedule"
    return "fail" if cause == Cause.ERROR.value else cause


def grouped(notices: Sequence[Notice], content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Many at once: the fields of one, as far as they are the same for all, and all of them."""
    keys = "".join(one["idempotency_key"] for one in content)
    same = {
        name: content[0][name] if all(one[name] == content[0][name] for one in content) else None
        for name in ("id", "monitor", "type", "rule", "environment", "group", "issue_url", "monitor_url")
    }
    monitors = len({(notice.monitor, notice.content.environment) for notice in notices})
    kinds = [one["type"] for one in content]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _TYPES.values() if kind in kinds)
    return {
        **same,
        "type": same["type"] or "ALERT",
        "description": f"{len(content)} notices of {monitors} monitors at once: {counts}",
        "grouped": True,
        "count": len(content),
        "notices": list(content),
        "idempotency_key": hashlib.blake2b(keys.encode(), digest_size=16).hexdigest(),
    }


def description(notice: Notice) -> str:
    """One sentence for people."""
    content = notice.content
    where = f"{content.name} in {content.environment}"
    since = to_rfc3339(content.since // SECOND * SECOND)
    if notice.kind is NoticeKind.EVENT:
        text = f"{where} {_EVENTS.get(content.rule, content.rule)}"
    elif notice.kind is NoticeKind.RECOVERY:
        text = f"{where} is well again; it was not since {since}"
    else:
        what = _WORDS.get(content.rule, f"broke the rule {content.rule}")
        text = f"{where} {'is still not well: it ' if content.reminder else ''}{what}; since {since}"
    return f"{text}: {content.message}" if content.message else text


def retry_after_ms(headers: Mapping[str, str], now: Instant) -> Millis:
    """Of a Retry-After header, in seconds or as a date; 0: there is none that can be read."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 10:
        return int(text) * SECOND
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(int(datetime.timestamp(moment) * 1000) - now, 0)
