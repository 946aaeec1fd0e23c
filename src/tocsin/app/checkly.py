"""Checkly's API among the server's parts: its door, and the routes behind it."""

from collections.abc import Callable

from starlette.routing import BaseRoute

from tocsin.app.settings import Dialects, Settings
from tocsin.dialects.checkly import pings as ping_urls
from tocsin.dialects.checkly import prometheus
from tocsin.dialects.checkly import routes as api
from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.history import badges
from tocsin.dialects.checkly.history import routes as history
from tocsin.dialects.checkly.limits import Limited, Limits, per_minute
from tocsin.dialects.checkly.services import Services
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principals
from tocsin.service.tokens import Tokens


def door(settings: Settings, principals: Principals) -> Door:
    return Door(principals, limits(settings.dialects), settings.listen.public_url, settings.dialects.checkly_ping_url)


def limits(chosen: Dialects) -> Limits:
    return Limits(
        {
            Limited.REQUESTS: per_minute(chosen.checkly_requests_per_minute),
            Limited.RESULTS: per_minute(chosen.checkly_results_per_minute),
            Limited.ANALYTICS: per_minute(chosen.checkly_analytics_per_minute),
            Limited.NOTIFICATIONS: per_minute(chosen.checkly_notifications_per_minute),
            Limited.PROMETHEUS: per_minute(chosen.checkly_prometheus_per_minute),
        }
    )


def routes(settings: Settings, principals: Principals, services: Services) -> list[BaseRoute]:
    if not settings.dialects.checkly:
        return []
    let_in = door(settings, principals)
    scrapes = prometheus.calls(services, settings.telemetry.max_samples)
    return [
        *api.routes(services, let_in),
        *history.made(services, let_in),
        *api.made(scrapes, let_in, limit=Limited.PROMETHEUS),
        *(badges.routes(services.browsing) if settings.dialects.checkly_badges else ()),
    ]


def pings(
    settings: Settings,
    principals: Principals,
    check_ins: CheckIns,
    tokens: Tokens,
    failed: Callable[[str, str], None],
) -> list[BaseRoute]:
    """`failed(dialect, error reason)` is told of pings that were refused."""
    if not settings.dialects.checkly:
        return []
    return ping_urls.routes(ping_urls.Pings(check_ins, tokens, principals.project, failed))
