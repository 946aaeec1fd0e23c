"""The body of a request, read as it arrives and decoded within the limits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.limits import MIB, Limits
from tocsin.http.encodings import PIECE, Decoder, EncodingError, Identity, UnknownEncodingError, decoder
from tocsin.http.raw import Sent

_FAIR_SHARE: Final = MIB  # decoded bytes after which other requests get a turn


def check_head(request: Sent, limits: Limits) -> None:
    """Refuses what the headers alone condemn, before any byte of the body is read. Rejection 413, 415."""
    encoding = _decoder(request)
    cap = limits.expanded if isinstance(encoding, Identity) else limits.compressed
    if _announced(request) > cap:
        raise _too_large(cap)


async def pieces(request: Sent, limits: Limits) -> AsyncIterator[bytes]:
    """The decoded body in pieces of bounded size. Rejection 400 for a corrupt stream, 413 past a cap, 415.

    The caller holds what it wants of it; nothing is kept here. Other requests get a turn after every MiB decoded, so a
    bomb of 100 MiB costs its sender a connection and nobody else a stall.
    """
    encoding = _decoder(request)
    plain = isinstance(encoding, Identity)
    received = expanded = since_pause = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if not plain and received > limits.compressed:
                raise _too_large(limits.compressed)
            for start in range(0, len(chunk), PIECE):
                for piece in encoding.decode(chunk[start : start + PIECE]):
                    expanded += len(piece)
                    since_pause += len(piece)
                    if expanded > limits.expanded:
                        raise _too_large(limits.expanded)
                    yield piece
                    if since_pause >= _FAIR_SHARE:
                        since_pause = 0
                        await asyncio.sleep(0)
        if received:
            encoding.finish()
    except EncodingError as problem:
        raise Rejection(400, f"failed to decode the body: {problem}", reason="invalid") from None


async def whole(request: Sent, limits: Limits, cap: int) -> bytes:
    """The decoded body, at most `cap` bytes of it: Rejection 413 when it is longer."""
    held = bytearray()
    async for piece in pieces(request, limits):
        held += piece
        if len(held) > cap:
            raise _too_large(cap)
    return bytes(held)


async def linger(request: Sent, limits: Limits) -> None:
    """Reads what a client still sends of a request that is refused, and lets it go, up to a bound.

    A connection that is closed while its client is writing is reset, and the answer is lost with it. A client that
    waits to be told to go on has nothing in flight.
    """
    if "expect" in request.headers or _announced(request) > limits.lingering:
        return
    read = 0
    with contextlib.suppress(RuntimeError):  # it was read to its end
        async for chunk in request.stream():
            read += len(chunk)
            if read > limits.lingering:
                return


def _announced(request: Sent) -> int:
    """Bytes of the body, as far as its length is announced."""
    announced = request.headers.get("content-length", "")
    return int(announced[:20]) if announced.isdecimal() else 0


def _decoder(request: Sent) -> Decoder:
    try:
        return decoder(request.headers.get("content-encoding", ""))
    except UnknownEncodingError as problem:
        raise Rejection(415, str(problem), reason="invalid") from None


def _too_large(cap: int) -> Rejection:
    return Rejection(413, f"the request is larger than {cap} bytes", reason="too_large")
