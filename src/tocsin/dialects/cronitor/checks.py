"""What only a check has: the request that it makes, how often, and on what platform. Read, validated, kept whole.

tocsin does not ask checks yet: a monitor of this type is stored as one that expects nothing.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from tocsin.dialects.cronitor import phrases
from tocsin.dialects.cronitor.problems import Problems
from tocsin.domain.errors import InvalidArgument

DEFAULT_SCHEDULE: Final = "every 60 seconds"
PLATFORMS: Final = ("http", "browser", "tcp", "udp", "s3")
METHODS: Final = ("GET", "HEAD", "PATCH", "POST", "PUT", "DELETE", "OPTIONS")
REGIONS: Final = (
    *("us-east-1", "us-east-2", "us-west-1", "eu-west-1", "eu-central-1", "eu-north-1", "ap-south-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1", "me-south-1"),
)
PAIRS_MAX: Final = 5_120  # characters of all headers, and of all cookies
BODY_MAX: Final = 64 * 1024  # characters
URL_MAX: Final = 2_000
_WITH_BODY: Final = ("PUT", "PATCH", "POST")
_SCHEMES: Final = {
    "http": ("http", "https"),
    "browser": ("http", "https"),
    "tcp": ("tcp",),
    "udp": ("udp",),
    "s3": ("s3", "https"),
}
_SOCKETS: Final = ("tcp", "udp")
_DEFAULTS: Final[dict[str, Any]] = {
    "method": "GET",
    "timeout_seconds": 10,
    "follow_redirects": True,
    "verify_ssl": True,
}


def check(said: dict[str, Any], problems: Problems) -> None:
    """Of the attributes of a check, after those of a request were merged into what is stored."""
    platform = said.get("platform") or PLATFORMS[0]
    if platform not in PLATFORMS:
        problems.wrong("platform", f"{str(platform)[:40]!r} is none of {', '.join(PLATFORMS)}")
        platform = PLATFORMS[0]
    _schedule(said.get("schedules") or [DEFAULT_SCHEDULE], problems)
    request = said.get("request")
    if not request:
        problems.wrong("request", "required for a check: a hash with the url")
        return
    _url(request.get("url"), platform, problems)
    method = request.get("method")
    if method is not None and (not isinstance(method, str) or method.upper() not in METHODS):
        problems.wrong("request.method", f"{str(method)[:20]!r} is none of {', '.join(METHODS)}")
    elif _needs_body(method, platform) and request.get("body") is None:
        problems.wrong("request.body", f"required for {method}; it may be empty")
    for name, reader in _READERS.items():
        if request.get(name) is not None:
            reader(request[name], f"request.{name}", problems)


def _needs_body(method: Any, platform: str) -> bool:
    return isinstance(method, str) and method.upper() in _WITH_BODY and platform not in (*_SOCKETS, "s3")


def shown(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its defaults."""
    return _DEFAULTS | {name: value for name, value in request.items() if value is not None}


def _schedule(schedules: list[str], problems: Problems) -> None:
    if len(schedules) > 1:
        problems.wrong("schedules", "a check has one")
        return
    try:
        phrases.check_interval(schedules[0])
    except InvalidArgument as problem:
        problems.wrong_by(problem, "schedule")


def _url(url: Any, platform: str, problems: Problems) -> None:
    if not isinstance(url, str) or not url.strip():
        problems.wrong("request.url", "required: what to ask")
        return
    schemes = _SCHEMES[platform]
    text = url.strip()
    if platform in _SOCKETS and "://" not in text:
        text = f"{platform}://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as problem:
        problems.wrong("request.url", f"{url[:80]!r} is no URL: {problem}")
        return
    if parts.scheme.lower() not in schemes or not parts.hostname or any(letter <= " " for letter in text):
        problems.wrong("request.url", f"{url[:80]!r} does not begin with {' or '.join(f'{one}://' for one in schemes)}")
    elif len(url) > URL_MAX:
        problems.wrong("request.url", f"must be at most {URL_MAX} characters, not {len(url)}")
    elif platform in _SOCKETS and port is None:
        problems.wrong("request.url", f"{url[:80]!r} names no port; host:port is asked")


def _pairs(value: Any, name: str, problems: Problems) -> None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        problems.wrong(name, "must be a hash of texts")
    elif (length := sum(len(key) + len(text) for key, text in value.items())) > PAIRS_MAX:
        problems.wrong(name, f"must be at most {PAIRS_MAX} characters in all, not {length}")


def _switch(value: Any, name: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.wrong(name, "must be true or false")


def _body(value: Any, name: str, problems: Problems) -> None:
    if not isinstance(value, str):
        problems.wrong(name, "must be text")
    elif len(value) > BODY_MAX:
        problems.wrong(name, f"must be at most {BODY_MAX} characters, not {len(value)}")


def _timeout(value: Any, name: str, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 15:
        problems.wrong(name, f"must be 1 to 15, a whole number, not {str(value)[:24]}")


def _regions(value: Any, name: str, problems: Problems) -> None:
    if not isinstance(value, list):
        problems.wrong(name, "must be a list of regions")
    elif unknown := [region for region in value if region not in REGIONS]:
        problems.wrong(name, f"{str(unknown[0])[:40]!r} is none of {', '.join(REGIONS)}")


_READERS: Final[dict[str, Callable[[Any, str, Problems], None]]] = {
    "body": _body,
    "headers": _pairs,
    "cookies": _pairs,
    "timeout_seconds": _timeout,
    "follow_redirects": _switch,
    "verify_ssl": _switch,
    "regions": _regions,
}
