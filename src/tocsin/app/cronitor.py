"""Cronitor's APIs among the server's parts: the codes of monitors, and how somebody outside is told."""

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec
import structlog
from starlette.routing import BaseRoute

from tocsin import __version__
from tocsin.app.secret import secret_of
from tocsin.app.settings import Settings
from tocsin.dialects.cronitor import routes as cronitor
from tocsin.dialects.cronitor.call import Door
from tocsin.dialects.cronitor.resources import routes as resources
from tocsin.dialects.cronitor.resources.services import Services as Resources
from tocsin.dialects.cronitor.services import Post, Services
from tocsin.dialects.cronitor.telemetry import anonymous
from tocsin.dialects.cronitor.telemetry import routes as events
from tocsin.dialects.cronitor.telemetry.history import History
from tocsin.dialects.cronitor.telemetry.intake import Intake, Options
from tocsin.dialects.cronitor.telemetry.limits import Limits
from tocsin.domain.codes import Codes
from tocsin.domain.instant import Instant
from tocsin.domain.project_settings import ProjectSettings
from tocsin.http.addresses import Addresses
from tocsin.outgoing.client import Client, Failed
from tocsin.outgoing.guard import Guard, Refused, networks
from tocsin.service.browsing import Browsing
from tocsin.service.check_ins import CheckIns
from tocsin.service.configuration import Configuration
from tocsin.service.groups import Groups
from tocsin.service.incidents import Incidents
from tocsin.service.monitors import Monitors
from tocsin.service.notification import NotificationLists
from tocsin.service.principal import Principal, Principals
from tocsin.service.rates import Rate
from tocsin.store import SqlStore
from tocsin.store.notification import SqlNotification
from tocsin.store.port import Store

RESERVED: Final = ("badges", "groups", "health", "issues", "metric", "readyz", "report", "search")
"""Words of six characters that paths begin with, now or some day: no code is one of them."""
_PAGE: Final = 1_000
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


class Shared:
    """Groups and notification lists as the dialect asks for them."""

    def __init__(self, groups: Groups, lists: NotificationLists) -> None:
        self._groups = groups
        self._lists = lists

    async def ensure_groups(
        self, principal: Principal, keys: Collection[str], received: Instant, *, validate_only: bool
    ) -> None:
        await self._groups.ensure(principal, keys, received, validate_only=validate_only)

    async def group_names(self, principal: Principal) -> Mapping[str, str]:
        found = await self._groups.every(principal)
        return {row.group.key: row.group.display_name or row.group.key for row in found}

    async def lists(self, principal: Principal) -> Collection[str]:
        keys: set[str] = set()
        token = ""
        while True:
            page = await self._lists.page(principal, size=_PAGE, token=token)
            keys.update(row.key for row in page.rows)
            token = page.next_token
            if not token:
                return keys


def routes(
    settings: Settings,
    store: SqlStore,
    identity: Identity,
    principals: Principals,
    monitors: Monitors,
    browsing: Browsing,
    groups: Groups,
    configuration: Configuration,
    settings_of: Callable[[int], ProjectSettings],
) -> list[BaseRoute]:
    if not settings.dialects.cronitor:
        return []
    shared = Shared(groups, NotificationLists(SqlNotification(store.database)))
    guard = Guard(networks(settings.outgoing.allowed_networks))
    services = Services(
        monitors, browsing, configuration.check, configuration.check_zone, settings_of, shared, poster(guard)
    )
    door = Door(principals, identity.codes, identity.secret, settings.listen.public_url)
    return cronitor.routes(services, door)


def telemetry(
    settings: Settings,
    identity: Identity,
    principals: Principals,
    check_ins: CheckIns,
    monitors: Monitors,
    browsing: Browsing,
    incidents: Incidents,
    settings_of: Callable[[int], ProjectSettings],
) -> tuple[list[BaseRoute], list[BaseRoute]]:
    """The routes of telemetry, and those that come after the routes of everybody."""
    chosen = settings.dialects
    if not chosen.cronitor:
        return [], []
    options = Options(chosen.cronitor_create, frozenset(chosen.cronitor_create_not), chosen.cronitor_strict)
    intake, addresses = Intake(check_ins, identity.number_of, options, settings_of), Addresses()
    limits = Limits(
        Rate(chosen.cronitor_monitor_rate, chosen.cronitor_monitor_burst),
        Rate(chosen.cronitor_address_rate, chosen.cronitor_address_burst),
    )
    last: list[BaseRoute] = []
    if chosen.cronitor_anonymous:
        finder = anonymous.Finder(identity.number_of, monitors, principals)
        history = History(monitors, browsing, incidents, identity.codes)
        last = anonymous.routes(intake, finder, monitors, history, addresses, limits)
    return events.routes(intake, principals, addresses, limits), last


def resource_routes(
    settings: Settings, identity: Identity, principals: Principals, services: Resources
) -> list[BaseRoute]:
    if not settings.dialects.cronitor:
        return []
    return resources.routes(services, Door(principals, identity.codes, identity.secret, settings.listen.public_url))


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
