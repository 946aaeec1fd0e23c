"""A channel's form, a notice and texts of the project → one request, signed where there is a secret.

Templates are read when a channel is written (`check_form`); here none is trouble any more: what cannot be rendered is
replaced, because the news matters more than its form. What templates find: variables of the project, those of the
monitor's group, and, before both, what the notice says (`variables`).
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec
import structlog

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.notice import Notice, NoticeKind
from tocsin.domain.notification import Form, Pair, check_form_size, check_url
from tocsin.notify import handlebars, webhook
from tocsin.notify.parsed import TREES

SIGNATURE: Final = "x-checkly-signature"  # HMAC-SHA256 of the body's bytes, in hexadecimal digits
TIMESTAMP: Final = "x-checkly-timestamp"  # when it was sent, Unix milliseconds
SECONDS_MAX: Final = 1.0  # of the processor, for all templates of one request
_BODILESS: Final = ("GET", "HEAD")
_RESERVED: Final = ("host", "content-length", "transfer-encoding", "connection", SIGNATURE, TIMESTAMP)
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_IN_URLS: Final = ":/?#[]@!$&'()*+,;=%"
_UNKNOWN: Final = (  # of heartbeats; templates that name them find a text
    *("REGION", "RUN_LOCATION", "API_CHECK_RESPONSE_STATUS_CODE", "API_CHECK_RESPONSE_STATUS_TEXT"),
    *("SSL_CHECK_DOMAIN", "SSL_DAYS_REMAINING", "AI_ANALYSIS_CLASSIFICATION", "AI_ANALYSIS_CODE_FIX"),
    *("AI_ANALYSIS_LINK", "AI_ANALYSIS_ROOT_CAUSE", "AI_ANALYSIS_USER_IMPACT"),
)
_NO_URL: Final = "the URL, as it was rendered, is not of the form https://host/path"
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_log = structlog.get_logger("tocsin.form")


class Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, bytes]
    body: bytes


class FormError(Exception):
    """No request can be made of it. The message holds nothing that a template found."""


def check_form(form: Form | None, url: str, field: str = "channel") -> None:
    """InvalidArgument names the template below `field` that cannot be read, or the header that none can be, and why.

    It may take half a second.
    """
    if form is not None:
        check_form_size(form, f"{field}.form")  # first, for reading takes its time
    if "{{" in url:
        check_template(url, f"{field}.url")
    if form is None:
        return
    check_template(form.template, f"{field}.form.template")
    for name, pairs in (("headers", form.headers), ("query", form.query)):
        for index, pair in enumerate(pairs):
            check_template(pair.key, f"{field}.form.{name}[{index}].key")
            if name == "headers" and "{{" not in pair.key:
                _check_header(pair.key.strip(), f"{field}.form.headers[{index}].key")
            check_template(pair.value, f"{field}.form.{name}[{index}].value")


def _check_header(name: str, field: str) -> None:
    """What a template makes of a name is left out, where no request may have it; a plain name can be told at once."""
    if not _TOKEN.fullmatch(name):
        raise errors.invalid(field, f"{name[:60]!r} is no name of a header, such as X-Team")
    if name.lower() in _RESERVED:
        raise errors.invalid(field, f"{name} is set by whoever sends the request; leave it out")


def check_template(text: str, field: str) -> None:
    """InvalidArgument: it is none, and why."""
    if "{{" not in text and len(text) <= handlebars.SIZE_MAX:
        return
    try:
        TREES.tree(text)
    except handlebars.TemplateError as error:
        raise errors.invalid(field, f"cannot be read as a template: {error}") from None


def request(form: Form, url: str, notice: Notice, texts: Mapping[str, str], public_url: str, now: Instant) -> Request:
    """`texts`: variables of the project and the group, by name. FormError: what was rendered is no URL."""
    known = variables(notice, public_url)
    writer = _Writer({**texts, **known}, now)
    target = _target(writer, form, url)
    headers = {"Content-Type": b"application/json", "Idempotency-Key": notice.idempotency_key.encode()}
    for name, value in _headers(writer, form.headers):
        headers = {other: old for other, old in headers.items() if other.lower() != name.lower()}
        headers[name] = value
    # The body comes last, for it is the one that can do without its template when nothing is left for it.
    body = b"" if form.method in _BODILESS else _body(writer, form.template, known)
    if form.secret:
        headers[SIGNATURE] = hmac.new(form.secret.encode(), body, hashlib.sha256).hexdigest().encode()
    headers[TIMESTAMP] = str(now).encode()
    return Request(form.method, target, headers, body)


def is_host_hidden(url: str) -> bool:
    """Whether a variable says which host is asked: then it may be a secret, and no error may tell it."""
    return "{{" in url.partition("://")[2].partition("/")[0] or "{{" in url.partition("://")[0]


def variables(notice: Notice, public_url: str) -> dict[str, object]:
    """What a notice says, by the names that templates know; also what is sent where there is no template."""
    content = notice.content
    check, result = _dashed(content.uid or content.monitor_id), _dashed(content.check_in)
    page = f"{public_url}/heartbeats/{quote(check, safe='', errors='replace')}"
    return {
        "ALERT_TITLE": f'Check "{content.name}" {_happened(notice)}',
        "ALERT_TYPE": _type(notice),
        "CHECK_NAME": content.name,
        "CHECK_ID": check,
        "CHECK_TYPE": "HEARTBEAT",
        "CHECK_DESCRIPTION": content.description,
        "CHECK_RESULT_ID": result,
        "CHECK_ERROR_MESSAGE": webhook.description(notice) if notice.kind is NoticeKind.ALERT else "",
        "GROUP_NAME": content.group,
        "IS_REMINDER": content.reminder,
        "REMINDER_SEQUENCE": content.reminder_sequence,
        "RESPONSE_TIME": 0,
        "RESULT_LINK": f"{page}/results/{quote(result, safe='')}" if result else page,
        "STARTED_AT": _iso(content.started or content.at),
        "TAGS": list(content.tags),
        **dict.fromkeys(_UNKNOWN, ""),
    }


class _Writer:
    """Renders templates, which share one budget, and never fails."""

    def __init__(self, context: Mapping[str, object], now: Instant) -> None:
        self._context, self._budget = context, handlebars.Budget(SECONDS_MAX)
        self._now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)

    def __call__(self, template: str) -> str | None:
        """None: it cannot be rendered."""
        if "{{" not in template:
            return template
        try:
            self._budget.look()
            return handlebars.render(TREES.tree(template), self._context, self._now, self._budget)
        except (handlebars.TemplateError, handlebars.TooMuch):
            return None
        except Exception as error:  # the news matters more; what an error says may be a secret
            _log.error("a template cannot be rendered", error=type(error).__name__)
            return None


def _body(writer: _Writer, template: str, known: Mapping[str, object]) -> bytes:
    written = writer(template) if template else None
    return msgspec.json.encode(known) if written is None else written.encode(errors="replace")


def _target(writer: _Writer, form: Form, url: str) -> str:
    written = quote((writer(url) or "").strip(), safe=_IN_URLS, errors="replace")
    try:
        check_url(written, "url")
        parts = urlsplit(written)
    except (errors.InvalidArgument, ValueError):
        raise FormError(_NO_URL) from None
    if "%" in parts.netloc:
        raise FormError(_NO_URL)
    pairs = [(writer(pair.key), writer(pair.value) or "") for pair in form.query]
    added = urlencode([(name, value) for name, value in pairs if name], errors="replace")
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit((*parts[:3], query, ""))


def _headers(writer: _Writer, pairs: Iterable[Pair]) -> Iterable[tuple[str, bytes]]:
    """Those that a request may have; the others are left out, and what would end a line is a space."""
    for pair in pairs:
        name, value = (writer(pair.key) or "").strip(), writer(pair.value)
        if value is not None and _TOKEN.fullmatch(name) and name.lower() not in _RESERVED:
            yield name, _CONTROL.sub(" ", value).strip().encode(errors="replace")


def _type(notice: Notice) -> str:
    if notice.kind is NoticeKind.ALERT:
        late = notice.content.remaining or notice.content.reminder
        return "ALERT_FAILURE_REMAIN" if late else "ALERT_FAILURE"
    return "ALERT_RECOVERY" if notice.kind is NoticeKind.RECOVERY else "NO_ALERT"


def _happened(notice: Notice) -> str:
    if notice.kind is NoticeKind.ALERT:
        return "is still failing" if notice.content.reminder else "has failed"
    return "has recovered" if notice.kind is NoticeKind.RECOVERY else f"reported {notice.content.rule}"


def _dashed(number: str) -> str:
    """As UUIDs are written, where it is one."""
    if not _HEX.fullmatch(number):
        return number
    return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def _iso(at: Instant) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
