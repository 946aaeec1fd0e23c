"""Content-Encoding: streaming decoders whose memory is bounded, whatever the input expands to.

A decoder takes pieces of the body and yields pieces of at most a few hundred KiB (zstd: 2 MiB); who iterates decides
when it has been enough. Corrupt, truncated and trailing input is an EncodingError.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

PIECE: Final = 64 * 1024  # bytes put out at once, as far as the library lets us say
MAX_MEMBERS: Final = 1_000  # gzip members or zstd frames in one body: each costs a new decoder
_MAX_WINDOW: Final = 8 * 1024 * 1024  # zstd history; what RFC 8878 asks every decoder to support
# zstandard decodes all that it is given at once. A block takes 4 bytes and yields 128 KiB at most: 64 bytes, 2 MiB.
_ZSTD_SLICE: Final = 64


class EncodingError(ValueError):
    """The body is not what its Content-Encoding says."""


class UnknownEncodingError(ValueError):
    """A Content-Encoding that we do not know."""


class Decoder(Protocol):
    def decode(self, data: bytes) -> Iterator[bytes]:
        """The decoded bytes of `data`, in pieces. Exhaust it before the next call. EncodingError."""
        ...

    def finish(self) -> None:
        """The body has ended. EncodingError when the stream has not."""
        ...


class Identity:
    def decode(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        """Ends anywhere."""


class Gzip:
    """One or more members; zero bytes may pad the end."""

    def __init__(self) -> None:
        self._members = 0
        self._inflate: zlib._Decompress | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate is None:
                if self._members:
                    data = data.lstrip(b"\0")
                    if not data:
                        return
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise EncodingError(f"gzip: more than {MAX_MEMBERS} members")
                self._inflate = zlib.decompressobj(wbits=31)
            yield from _inflate(self._inflate, data, "gzip")
            data = self._inflate.unused_data
            if self._inflate.eof:
                self._inflate = None

    def finish(self) -> None:
        if self._inflate is not None or not self._members:
            raise EncodingError("gzip: the body ends in the middle of the stream")


class Deflate:
    """zlib (RFC 1950) as the standard says, or the bare stream (RFC 1951) that some clients send under this name."""

    def __init__(self) -> None:
        self._head = b""
        self._inflate: zlib._Decompress | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._inflate = zlib.decompressobj(wbits=15 if wrapped else -15)
        if self._inflate.eof:
            raise EncodingError("deflate: data after the end of the stream")
        yield from _inflate(self._inflate, data, "deflate")
        if self._inflate.unused_data:
            raise EncodingError("deflate: data after the end of the stream")

    def finish(self) -> None:
        if self._inflate is None or not self._inflate.eof:
            raise EncodingError("deflate: the body ends in the middle of the stream")


class Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        try:
            piece: bytes = self._stream.process(data, output_buffer_limit=PIECE)
            while piece or not self._stream.can_accept_more_data():
                yield piece
                piece = self._stream.process(b"", output_buffer_limit=PIECE)
        except brotli.error as problem:
            raise EncodingError(f"br: {problem}") from None

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise EncodingError("br: the body ends in the middle of the stream")


class Zstandard:
    """One or more frames."""

    def __init__(self) -> None:
        self._frames = 0
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            yield from self._slice(data[start : start + _ZSTD_SLICE])

    def finish(self) -> None:
        if self._frame is not None or not self._frames:
            raise EncodingError("zstd: the body ends in the middle of the stream")

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._frame is None:
                self._frames += 1
                if self._frames > MAX_MEMBERS:
                    raise EncodingError(f"zstd: more than {MAX_MEMBERS} frames")
                self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
            try:
                piece = self._frame.decompress(data)
            except zstandard.ZstdError as problem:
                raise EncodingError(f"zstd: {problem}") from None
            if piece:
                yield piece
            data = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None


_DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "": Identity,
    "identity": Identity,
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "br": Brotli,
    "zstd": Zstandard,
}


def decoder(content_encoding: str | None) -> Decoder:
    """The decoder of a header's value; absent and empty are identity. UnknownEncodingError also for several at once."""
    name = (content_encoding or "").strip().lower()
    if name not in _DECODERS:
        known = ", ".join(name for name in _DECODERS if name and not name.startswith("x-"))
        raise UnknownEncodingError(f"unsupported content encoding {name[:40]!r}; send one of {known}")
    return _DECODERS[name]()


def _inflate(stream: "zlib._Decompress", data: bytes, name: str) -> Iterator[bytes]:
    """What `data` inflates to. A full piece means that zlib may hold more of it, even when no input is left."""
    try:
        while True:
            piece = stream.decompress(data, PIECE)
            if piece:
                yield piece
            data = stream.unconsumed_tail
            if stream.eof or (not data and len(piece) < PIECE):
                return
    except zlib.error as problem:
        raise EncodingError(f"{name}: {problem}") from None
