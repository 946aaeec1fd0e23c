"""The routes of channels, groups, windows, variables, snippets and alerts."""

from starlette.routing import BaseRoute

from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.limits import Limited
from tocsin.dialects.checkly.resources import alerts, channel_calls, group_calls, group_checks, texts, window_calls
from tocsin.dialects.checkly.resources.services import Resources
from tocsin.dialects.checkly.routes import made
from tocsin.dialects.checkly.services import Services


def routes(services: Services, resources: Resources, door: Door) -> list[BaseRoute]:
    """Every request must carry `request.state.received`, when it was accepted (ms)."""
    return [
        *made(channel_calls.calls(resources.channels), door),
        *made(group_calls.calls(resources.groups), door),
        *made(group_checks.calls(services, resources.groups), door),
        *made(window_calls.calls(resources.windows), door),
        *made(texts.calls(resources.variables, resources.snippets), door),
        *made(alerts.alert_calls(services, resources.notices), door),
        *made(alerts.notification_calls(services, resources.notices), door, limit=Limited.NOTIFICATIONS),
    ]
