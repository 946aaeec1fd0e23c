"""The stream of a deployment: what is now, each step, keep-alives, and how it ended."""

import asyncio
import json

import msgspec

from tocsin.dialects.checkly.deploy.events import frames
from tocsin.domain.deployment import Deployment, State
from tocsin.service.deployments import Ongoing

DEPLOYMENT = Deployment("d", 1, "shop", create_time=1)


class Clock:
    def now(self):
        return 5


def parsed(frame):
    lines = frame.decode().split("\n")
    assert lines[-2:] == ["", ""]
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


async def test_what_is_over_is_said_at_once():
    done = msgspec.structs.replace(DEPLOYMENT, state=State.FAILED, error_code="X", error="why")
    (only,) = [frame async for frame in frames(done, None)]
    event, data = parsed(only)
    assert (event, data["status"], data["error"]) == ("complete", "FAILED", {"code": "X", "message": "why"})


async def test_progress_then_the_end():
    class Store:
        def finish(self, *_, **__):
            pass

    ongoing = Ongoing(DEPLOYMENT, Store(), Clock())
    stream = frames(DEPLOYMENT, ongoing, keep_alive_s=0.001)
    assert parsed(await anext(stream)) == ("progress", {"progress": 0})
    assert (await anext(stream)).startswith(b": ")
    ongoing.progress(50)
    while (frame := await anext(stream)).startswith(b": "):
        pass
    assert parsed(frame) == ("progress", {"progress": 50})
    ending = asyncio.create_task(ongoing.end(State.CANCELLED))
    while (frame := await anext(stream)).startswith(b": "):
        pass
    event, data = parsed(frame)
    assert (event, data["status"], data["endedAt"]) == ("complete", "CANCELLED", "1970-01-01T00:00:00.005Z")
    assert [frame async for frame in stream] == []
    await ending
