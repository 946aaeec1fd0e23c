"""The body of a request: read within bounds, unpacked, and a JSON object or nothing."""

import asyncio
from typing import Any, Final

import msgspec
from starlette.requests import Request

from tocsin.dialects.checkly.problems import Refused
from tocsin.http.encodings import PIECE, EncodingError, Identity, UnknownEncodingError, decoder

# Bytes when unpacked. Decoded, JSON takes up to thirty times as much, so each call reads what it may need and no more.
BODY_MAX: Final = 1024 * 1024
DEPLOYMENT_MAX: Final = 32 * BODY_MAX  # ten thousand checks are five million
IDS_MAX: Final = 64 * 1024  # a list of ids
VALUES_MAX: Final = 2_000_000  # in one body; fifty thousand resources of twenty members have one million
PACKED_MAX: Final = 8 * 1024 * 1024  # bytes as they come
# What the decoder says of two things, and what they are.
_CUT_OFF: Final = ("Input data was truncated", "it ends in the middle, or a text holds half of a surrogate pair")
_FAIR_SHARE: Final = 1024 * 1024  # unpacked bytes after which others get a turn


async def read(request: Request, most: int = BODY_MAX) -> bytes:
    """All of it, unpacked. Refused 413 past the bounds, 415 for an unknown encoding, 400 for one that is broken."""
    try:
        unpacking = decoder(request.headers.get("content-encoding"))
    except UnknownEncodingError as problem:
        raise Refused(415, str(problem)) from None
    cap = most if isinstance(unpacking, Identity) else min(PACKED_MAX, most)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > cap:
        raise _too_large(cap)
    held, received, shared = bytearray(), 0, 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > cap:
                raise _too_large(cap)
            for start in range(0, len(chunk), PIECE):
                for piece in unpacking.decode(chunk[start : start + PIECE]):
                    held += piece
                    if len(held) > most:
                        raise _too_large(most)
                    if len(held) - shared >= _FAIR_SHARE:
                        shared = len(held)
                        await asyncio.sleep(0)
        if received:
            unpacking.finish()
    except EncodingError as problem:
        raise Refused(400, f"Invalid request payload: {problem}") from None
    return bytes(held)


def json_object(data: bytes) -> dict[str, Any]:
    """Refused 400 when it is none, or not JSON; 413 when it may hold more values than `VALUES_MAX`."""
    if len(data) > VALUES_MAX and sum(map(data.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise Refused(413, f"the body has over {VALUES_MAX} values; send less at a time")
    try:
        found = msgspec.json.decode(data) if data else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        told = str(problem)[:200].replace(*_CUT_OFF)
        raise Refused(400, f"Invalid request payload JSON format: {told}") from None
    if not isinstance(found, dict):
        raise Refused(400, "Invalid request payload input: the body must be a JSON object")
    return found


def _too_large(most: int) -> Refused:
    return Refused(413, f"the body is over {most} bytes; send less at a time")
