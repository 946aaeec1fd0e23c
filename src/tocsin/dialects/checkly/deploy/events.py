"""A deployment as a stream of server-sent events: its progress, then how it ended.

Frames end with a blank line, lines with LF, which is all that the CLI reads. The stream begins with what is now, so one
that breaks off may be opened again.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse

from tocsin.dialects.checkly.deploy.json_out import deployment_json
from tocsin.domain.deployment import Deployment
from tocsin.service.deployments import Ongoing

KEEP_ALIVE_S: Final = 10.0
_ALIVE: Final = b": still going\n\n"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def stream(deployment: Deployment, ongoing: Ongoing | None) -> Response:
    """`ongoing`: None when it is over."""
    return StreamingResponse(
        frames(deployment, ongoing), headers={**_HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}
    )


async def frames(
    deployment: Deployment, ongoing: Ongoing | None, keep_alive_s: float = KEEP_ALIVE_S
) -> AsyncIterator[bytes]:
    shown = -1
    while ongoing is not None:
        deployment = ongoing.deployment
        if deployment.state.final:
            break
        if deployment.progress > shown:
            shown = deployment.progress
            yield frame("progress", {"progress": shown})
        elif not await ongoing.changed(keep_alive_s):
            yield _ALIVE
    yield frame("complete", deployment_json(deployment))


def frame(event: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
