"""ChannelService: places that notices are delivered to."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.empty_pb2 import Empty

from tocsin.api.keys import child, new_key
from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.service.call import Call
from tocsin.service.notification import Channels
from tocsin.v1 import channel_pb2
from tocsin.v1 import channel_service_pb2 as pb
from tocsin.wire.notification import from_channel, keeps_secret, to_channel_values


class ChannelHandlers:
    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def CreateChannel(self, request: pb.CreateChannelRequest, call: Call) -> channel_pb2.Channel:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        key = new_key(request.channel_id, request.channel.display_name, "channel")
        values = to_channel_values(request.channel)
        with _without_config():
            made = await self._channels.put(call.principal, key, values, call.received, update=False)
        return from_channel(made)

    async def GetChannel(self, request: pb.GetChannelRequest, call: Call) -> channel_pb2.Channel:
        return from_channel(await self._channels.get(call.principal, child("channel", request.name, call)))

    async def ListChannels(self, request: pb.ListChannelsRequest, call: Call) -> pb.ListChannelsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._channels.page(call.principal, size=page_size(request.page_size), token=request.page_token)
        return pb.ListChannelsResponse(
            channels=[from_channel(row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateChannel(self, request: pb.UpdateChannelRequest, call: Call) -> channel_pb2.Channel:
        field = "channel.name"
        key = child("channel", request.channel.name, call, field)
        if request.allow_missing:
            names.check_monitor_id(key, field)
        values = to_channel_values(request.channel, request.update_mask.paths)
        if values.get("form") is not None:
            secret = keeps_secret(request.channel)
            values["form"] = await self._channels.with_hidden(call.principal, key, values["form"], secret=secret)
        with _without_config():
            kept = await self._channels.put(call.principal, key, values, call.received, create=request.allow_missing)
        return from_channel(kept)

    async def DeleteChannel(self, request: pb.DeleteChannelRequest, call: Call) -> Empty:
        key = child("channel", request.name, call)
        await self._channels.delete(call.principal, key, allow_missing=request.allow_missing)
        return Empty()


@contextmanager
def _without_config() -> Iterator[None]:
    """What channels of other kinds need has no field in the contract, so an error that names it would help nobody."""
    try:
        yield
    except errors.InvalidArgument as problem:
        if any(violation.field.startswith("channel.config") for violation in problem.violations):
            raise errors.invalid(
                "channel.kind",
                "channels of this kind are made by protocols that know what they need, such as Checkly's; "
                "here they are KIND_WEBHOOK",
            ) from None
        raise
