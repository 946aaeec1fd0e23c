"""The vendors' protocols among the server's parts: their routes, and how they word what they do not serve."""

from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

from tocsin.app.settings import Settings
from tocsin.dialects.checkly import pings
from tocsin.dialects.checkly import routes as checkly
from tocsin.dialects.cronitor import routes as cronitor
from tocsin.dialects.cronitor.telemetry import routes as telemetry
from tocsin.dialects.sentry import ingest as sentry_ingest
from tocsin.dialects.sentry.management import routes as management
from tocsin.dialects.sentry.management.call import Door
from tocsin.dialects.sentry.management.services import Services
from tocsin.domain.project_settings import ProjectSettings
from tocsin.http.front import Busy
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principals
from tocsin.telemetry.metrics import Metrics


def sentry(
    settings: Settings,
    check_ins: CheckIns,
    principals: Principals,
    metrics: Metrics,
    settings_of: Callable[[int], ProjectSettings],
) -> list[Any]:
    if not settings.dialects.sentry:
        return []

    def item(kind: str, project: int, count: int) -> None:
        metrics.envelope_items.labels(principals.slug(project), kind).inc(count)

    def loss(reason: str, project: int, quantity: int) -> None:
        metrics.client_lost.labels(principals.slug(project), reason[:40]).inc(quantity)

    return sentry_ingest.routes(check_ins, principals, observe_item=item, observe_loss=loss, settings_of=settings_of)


def sentry_management(settings: Settings, services: Services, principals: Principals) -> list[Any]:
    if not settings.dialects.sentry:
        return []
    door = Door(principals, settings.dialects.sentry_organization, settings.listen.public_url)
    return management.routes(services, door)


def worded(settings: Settings) -> tuple[tuple[str, Callable[[str], ASGIApp]], ...]:
    """Beginnings of paths below which a vendor's protocol says that a path is unknown."""
    chosen = settings.dialects
    first = cronitor.NOT_FOUND if chosen.cronitor else ()
    sentry = (*management.NOT_FOUND, *sentry_ingest.NOT_FOUND) if chosen.sentry else ()
    return (*first, *sentry, *(checkly.NOT_FOUND if chosen.checkly else ()))


def busy(settings: Settings) -> tuple[Busy, ...]:
    """What a vendor's clients are told while there is no room."""
    chosen = settings.dialects
    first = (*cronitor.BUSY, *telemetry.BUSY) if chosen.cronitor else ()
    sentry = (management.BUSY, sentry_ingest.BUSY) if chosen.sentry else ()
    tokens = pings.BUSY if chosen.checkly else ()  # first: others know only how their paths begin
    return (*tokens, *first, *sentry, *(checkly.BUSY if chosen.checkly else ()))


def endless(settings: Settings) -> tuple[str, ...]:
    """Patterns of paths whose reading takes as long as there is to show."""
    return checkly.ENDLESS if settings.dialects.checkly else ()
