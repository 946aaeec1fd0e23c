"""The body of a request, read as it arrives and decoded within the limits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.encodings import PIECE, Decoder, EncodingError, Identity, UnknownEncodingError, decoder
from tocsin.dialects.sentry.limits import MIB, Limits

_FAIR_SHARE: Final = MIB  # decoded bytes after which other requests get a turn


def check_head(request: Request, limits: Limits) -> None:
    """Refuses what the headers alone condemn, before any byte of the body is read. Rejection 413, 415."""
    encoding = _decoder(request)
    cap = limits.expanded if isinstance(encoding, Identity) else limits.compressed
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > cap:
        raise _too_large(cap)


async def pieces(request: Request, limits: Limits) -> AsyncIterator[bytes]:
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


async def whole(request: Request, limits: Limits, cap: int) -> bytes:
    """The decoded body, at most `cap` bytes of it: Rejection 413 when it is longer."""
    held = bytearray()
    async for piece in pieces(request, limits):
        held += piece
        if len(held) > cap:
            raise _too_large(cap)
    return bytes(held)


def _decoder(request: Request) -> Decoder:
    try:
        return decoder(request.headers.get("content-encoding"))
    except UnknownEncodingError as problem:
        raise Rejection(415, str(problem), reason="invalid") from None


def _too_large(cap: int) -> Rejection:
    return Rejection(413, f"the request is larger than {cap} bytes", reason="too_large")
