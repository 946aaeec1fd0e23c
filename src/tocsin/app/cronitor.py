"""Cronitor's Monitor API among the server's parts: the codes of monitors, and how somebody outside is told."""

import functools
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from starlette.routing import BaseRoute

from tocsin import __version__
from tocsin.app.secret import secret_of
from tocsin.app.settings import Settings
from tocsin.dialects.cronitor import routes as cronitor
from tocsin.dialects.cronitor.call import Door
from tocsin.dialects.cronitor.services import Post, Services
from tocsin.domain.codes import Codes
from tocsin.domain.project_settings import ProjectSettings
from tocsin.outgoing.client import Client, Failed
from tocsin.outgoing.guard import Guard, Refused
from tocsin.service.browsing import Browsing
from tocsin.service.configuration import Configuration
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principals
from tocsin.store.port import Store

RESERVED: Final = ("badges", "groups", "health", "issues", "metric", "readyz", "report", "search")
"""Words of six characters that paths begin with, now or some day: no code is one of them."""
_log = structlog.get_logger("tocsin.cronitor")


class Identity:
    """The secret of a server, and the codes that it keys. Read when they are first needed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @functools.cached_property
    def _secret(self) -> bytes:
        return secret_of(self._store)

    @functools.cached_property
    def _codes(self) -> Codes:
        return Codes(self._secret, RESERVED)

    def secret(self) -> bytes:
        return self._secret

    def codes(self) -> Codes:
        return self._codes

    def number_of(self, code: str) -> int | None:
        return self._codes.number_of(code)


def routes(
    settings: Settings,
    identity: Identity,
    principals: Principals,
    monitors: Monitors,
    browsing: Browsing,
    configuration: Configuration,
    settings_of: Callable[[int], ProjectSettings],
) -> list[BaseRoute]:
    if not settings.dialects.cronitor:
        return []
    services = Services(monitors, browsing, configuration.check, configuration.check_zone, settings_of, poster(Guard()))
    door = Door(principals, identity.codes, identity.secret, settings.listen.public_url)
    return cronitor.routes(services, door)


def poster(guard: Guard) -> Post:
    async def post(url: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        try:
            async with Client(guard, f"tocsin/{__version__}") as client:
                answer = await client.request("POST", url, headers=headers, body=msgspec.json.encode(body))
        except (Refused, Failed) as problem:
            _log.warning("the result of a batch was not taken", reason=str(problem))
            return
        if answer.status >= 300:
            _log.warning("the result of a batch was not taken", status=answer.status)

    return post
