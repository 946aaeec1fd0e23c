"""The envelope parser and what follows it against bytes that nobody meant: only the promised errors, nothing lost.

`TOCSIN_FUZZ_EXAMPLES` sets how many examples each target takes.
"""

import json
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.dialects.sentry.envelope import EnvelopeError, Parser, parse
from tocsin.dialects.sentry.limits import Limits
from tocsin.dialects.sentry.mapping import from_json
from tocsin.dialects.sentry.refusals import Arrival
from tocsin.domain.facts import CheckInRefused
from tocsin.http.encodings import EncodingError, decoder

EXAMPLES = int(os.environ.get("TOCSIN_FUZZ_EXAMPLES", "300"))
fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SMALL = Limits(held=5_000, check_in=500, check_ins=5, header=300)

types = st.sampled_from(["check_in", "event", "session", "client_report", "future \u00e4"])
sized_items = st.tuples(types, st.binary(max_size=60), st.just(True))
line_items = st.tuples(types, st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")), st.just(False))
items = st.lists(st.one_of(sized_items, line_items), max_size=6)
blank = st.sampled_from([b"", b"\n", b"\n\n", b" \n", b"\r\n\t"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _render(parts, blanks=(), end=b"") -> bytes:
    """An envelope of (type, payload, with a length?); blank lines go where they are allowed."""
    lines = b"{}\n"
    spaces = [*blanks, *[b""] * len(parts)]
    for (kind, payload, sized), space in zip(parts, spaces, strict=False):
        header = {"type": kind, "length": len(payload)} if sized else {"type": kind}
        lines += space + json.dumps(header).encode() + b"\n" + payload + b"\n"
    return lines + end


def _feed(body: bytes, cuts, limits: Limits):
    parser = Parser(limits)
    try:
        for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True):
            parser.feed(body[start:stop])
        parser.close()
    except EnvelopeError as problem:
        return str(problem)
    return parser.items, parser.counts


@fuzz
@given(st.binary(max_size=400), st.sampled_from([Limits(), SMALL]))
def test_random_bytes(body, limits):
    assert isinstance(_feed(body, [], limits), str | tuple)


@fuzz
@given(items, st.lists(blank, max_size=6), blank)
def test_what_is_rendered_is_parsed(parts, blanks, end):
    parser = parse(_render(parts, blanks, end))
    kept = [(kind, payload) for kind, payload, _ in parts if kind in ("check_in", "client_report", "event")]
    assert [(one.type, one.payload) for one in parser.items] == kept
    assert sum(parser.counts.values()) == len(parts)


@fuzz
@given(items, st.data())
def test_mutated_envelopes_and_all_cuts(parts, data):
    body = bytearray(_render(parts))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(body)))
        what = data.draw(st.sampled_from(["flip", "drop", "insert", "cut", "repeat"]))
        if what == "flip" and place < len(body):
            body[place] ^= data.draw(st.integers(1, 255))
        elif what == "drop":
            del body[place : place + data.draw(st.integers(1, 9))]
        elif what == "insert":
            body[place:place] = data.draw(
                st.sampled_from([b"\n", b"{", b'"', b"\xff", b"}\n{", b"99999999999999999999", b"NaN"])
            )
        elif what == "cut":
            del body[place:]
        else:
            body[place:place] = body[:place][-20:]
    whole = bytes(body)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    limits = data.draw(st.sampled_from([Limits(), SMALL]))
    assert _feed(whole, cuts, limits) == _feed(whole, [], limits)


FIELDS = [
    "check_in_id",
    "monitor_slug",
    "status",
    "duration",
    "environment",
    "monitor_config",
    "contexts",
    "release",
    "sdk",
]
good = st.fixed_dictionaries(
    {"monitor_slug": st.just("job"), "status": st.sampled_from(["ok", "error", "in_progress"])},
    optional={field: json_values for field in FIELDS if field not in ("monitor_slug", "status")},
)
schedules = st.fixed_dictionaries(
    {"type": st.sampled_from(["crontab", "interval", "x"])},
    optional={
        "value": st.integers() | st.text(max_size=10) | st.just("* * * * *"),
        "unit": st.sampled_from(["day", "days"]),
    },
)
configs = st.fixed_dictionaries(
    {"schedule": schedules | json_values},
    optional={
        key: st.integers() | json_values
        for key in (
            "checkin_margin",
            "max_runtime",
            "timezone",
            "failure_issue_threshold",
            "recovery_threshold",
            "owner",
        )
    },
)


def _judge(payload: bytes) -> None:
    outcome = from_json(payload, Arrival(1, 2, "c"))
    dropped = [refused for refused in outcome.refusals if refused.dropped]
    assert all(isinstance(refused, CheckInRefused) for refused in outcome.refusals)
    assert (outcome.report is None) == (len(dropped) == 1)
    if outcome.report is not None:
        assert 1 <= len(outcome.report.monitor_id) <= 50
        assert outcome.report.environment.encode()
        assert (outcome.report.upsert is None) or not outcome.report.upsert_error


@fuzz
@given(st.one_of(json_values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=100)))
def test_any_payload_is_a_report_or_a_refusal(payload):
    _judge(payload)


@fuzz
@given(good)
def test_any_field_of_a_check_in(payload):
    _judge(json.dumps(payload).encode())


@fuzz
@given(configs)
def test_no_configuration_costs_the_run(config):
    outcome = from_json(
        json.dumps({"monitor_slug": "job", "status": "ok", "monitor_config": config}).encode(), Arrival(1, 2)
    )
    assert outcome.report is not None
    assert (outcome.report.upsert is None) == bool(outcome.report.upsert_error)


@fuzz
@given(st.sampled_from(["gzip", "deflate", "br", "zstd"]), st.lists(st.binary(max_size=80), max_size=4))
def test_random_compressed_bytes(encoding, pieces):
    stream = decoder(encoding)
    try:
        for piece in pieces:
            for _ in stream.decode(piece):
                pass
        stream.finish()
    except EncodingError:
        return
