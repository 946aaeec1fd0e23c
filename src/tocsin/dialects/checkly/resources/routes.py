"""The routes of channels, windows, variables and snippets."""

from starlette.routing import BaseRoute

from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.resources import channel_calls, texts, window_calls
from tocsin.dialects.checkly.resources.services import Resources
from tocsin.dialects.checkly.routes import made


def routes(resources: Resources, door: Door) -> list[BaseRoute]:
    """Every request must carry `request.state.received`, when it was accepted (ms)."""
    return [
        *made(channel_calls.calls(resources.channels), door),
        *made(window_calls.calls(resources.windows), door),
        *made(texts.calls(resources.variables, resources.snippets), door),
    ]
