"""Spec section 1.4: every encoding, in pieces, damaged, and as a bomb. The encoders are the reference libraries."""

import gzip
import random
import tracemalloc
import zlib

import brotli
import pytest
import zstandard

from tocsin.http.encodings import MAX_MEMBERS, EncodingError, UnknownEncodingError, decoder

TEXT = b'{"a":1}\n' * 5_000
NOISE = random.Random(7).randbytes(200_000)


def _raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


ENCODERS = {
    "identity": ("identity", lambda data: data),
    "absent": (None, lambda data: data),
    "empty": ("", lambda data: data),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "upper case": (" GZIP ", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw_deflate),
    "br": ("br", lambda data: brotli.compress(data, quality=5)),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "zstd without a size": ("zstd", lambda data: _zstd_stream(data)),
}
COMPRESSING = [name for name in ENCODERS if name not in ("identity", "absent", "empty")]


def _zstd_stream(data: bytes) -> bytes:
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(data) + stream.flush()


def _decode(encoding: str | None, *pieces: bytes) -> bytes:
    stream = decoder(encoding)
    found = b"".join(part for piece in pieces for part in stream.decode(piece))
    stream.finish()
    return found


@pytest.mark.parametrize(
    "data", [b"", b"x", TEXT, NOISE, b"\0" * 300_000], ids=["none", "one", "text", "noise", "zeros"]
)
@pytest.mark.parametrize("name", ENCODERS)
def test_round_trip(name, data):
    encoding, encode = ENCODERS[name]
    assert _decode(encoding, encode(data)) == data


@pytest.mark.parametrize("name", ENCODERS)
def test_in_single_bytes(name):
    encoding, encode = ENCODERS[name]
    assert _decode(encoding, *(bytes([byte]) for byte in encode(TEXT))) == TEXT


@pytest.mark.parametrize("name", COMPRESSING)
def test_every_truncation_is_an_error(name):
    encoding, encode = ENCODERS[name]
    whole = encode(b"some text, not long")
    for length in range(1, len(whole)):
        with pytest.raises(EncodingError):
            _decode(encoding, whole[:length])


@pytest.mark.parametrize("name", COMPRESSING)
def test_rubbish_is_an_error(name):
    with pytest.raises(EncodingError):
        _decode(ENCODERS[name][0], b"\xff\xffthis is not compressed at all" * 10)


@pytest.mark.parametrize("name", COMPRESSING)
def test_data_behind_the_end_is_an_error(name):
    encoding, encode = ENCODERS[name]
    with pytest.raises(EncodingError):
        _decode(encoding, encode(TEXT) + b"rubbish")
    with pytest.raises(EncodingError):
        _decode(encoding, encode(TEXT), b"rubbish")


def test_damage_is_seen_by_gzip_and_zlib():
    for encoding, whole in (("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))):
        broken = bytearray(whole)
        broken[-5] ^= 1  # in the checksum
        with pytest.raises(EncodingError):
            _decode(encoding, bytes(broken))


@pytest.mark.parametrize("cut", [0, 1, 10, 40])
def test_gzip_members_follow_each_other(cut):
    whole = gzip.compress(b"first ") + gzip.compress(b"second ") + gzip.compress(b"third")
    assert _decode("gzip", whole[:cut], whole[cut:]) == b"first second third"


def test_gzip_may_be_padded_with_zeros():
    assert _decode("gzip", gzip.compress(b"x") + b"\0" * 100, b"\0\0") == b"x"


def test_zstd_frames_follow_each_other():
    encode = zstandard.ZstdCompressor().compress
    assert _decode("zstd", encode(b"first ") + encode(TEXT)) == b"first " + TEXT


@pytest.mark.parametrize(("encoding", "member"), [("gzip", gzip.compress(b"")), ("zstd", _zstd_stream(b""))])
def test_members_are_counted(encoding, member):
    assert _decode(encoding, member * MAX_MEMBERS) == b""
    with pytest.raises(EncodingError, match=f"more than {MAX_MEMBERS}"):
        _decode(encoding, member * (MAX_MEMBERS + 1))


def test_a_zstd_window_beyond_8_mib_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    whole = stream.compress(NOISE) + stream.flush()
    with pytest.raises(EncodingError, match="memory"):
        _decode("zstd", whole)


@pytest.mark.parametrize(
    "encoding", ["lzma", "gzip, br", "gzip,gzip", "compress", "*", "\N{LATIN SMALL LETTER E WITH ACUTE}"]
)
def test_unknown(encoding):
    with pytest.raises(UnknownEncodingError, match="unsupported content encoding"):
        decoder(encoding)


@pytest.mark.parametrize("name", COMPRESSING)
def test_a_bomb_comes_out_in_bounded_pieces(name):
    """100 MB of zeros: the largest piece and the memory held stay far below, and who stops, stops."""
    encoding, encode = ENCODERS[name]
    bomb = encode(bytes(100_000_000))
    stream = decoder(encoding)
    tracemalloc.start()
    total = largest = 0
    for piece in stream.decode(bomb):
        total += len(piece)
        largest = max(largest, len(piece))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stream.finish()
    assert total == 100_000_000
    assert largest <= 2_200_000
    assert peak < 12_000_000


def test_stopping_early_costs_nothing_more():
    stream = decoder("gzip")
    pieces = stream.decode(gzip.compress(bytes(100_000_000)))
    assert sum(len(next(pieces)) for _ in range(3)) < 1_000_000
