"""Coverage-guided fuzzing of the parsers with atheris: only the promised errors, and answers that agree with themselves.

    python tests/fuzz/targets.py TARGET [libFuzzer options] [corpus folder]

TARGET is one of cron, tzif, rrule, on_calendar, intake, of Sentry's dialect envelope, check_in, cron_endpoint,
courtesies, of Cronitor's telemetry, and of webhooks template.
`make fuzz` gives each a minute, and keeps what it finds interesting in build/fuzz; `make fuzz-ci` twenty seconds, from
the corpus beside this file. A crash is written to a file `crash-...`, and becomes a unit test.
"""

import math
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import atheris
from google.protobuf.message import DecodeError

with atheris.instrument_imports(
    include=["tocsin.schedule", "tocsin.dialects", "tocsin.domain", "tocsin.wire", "tocsin.notify.handlebars"]
):
    from tocsin._core.timetable import FIRST_MS, LAST_MS, NEVER
    from tocsin._core.zone import Zone
    from tocsin.app.tzdata import read_zone
    from tocsin.dialects.cronitor.telemetry import mapping as cronitor
    from tocsin.dialects.sentry import cron as cron_endpoint
    from tocsin.dialects.sentry import events, mapping, schema
    from tocsin.dialects.sentry.answers import Rejection
    from tocsin.dialects.sentry.envelope import EnvelopeError, Parser
    from tocsin.dialects.sentry.limits import Limits
    from tocsin.dialects.sentry.refusals import PAYLOAD_MAX, Arrival, excerpt
    from tocsin.domain import errors
    from tocsin.domain.check_in import MAX_DURATION, MAX_METRICS
    from tocsin.domain.commands import ReportBatch
    from tocsin.domain.refusals import RefusalReason
    from tocsin.domain.schedule import Cron, DaylightPolicy, OnCalendar, RRule
    from tocsin.engine.plain import report_of
    from tocsin.notify.handlebars import OUTPUT_MAX, TemplateError, TooMuch, parse, render
    from tocsin.schedule import Compiler, Zones, tzif, words
    from tocsin.v1 import check_in_service_pb2, heartbeat_service_pb2
    from tocsin.wire.batches import read_check_ins, read_heartbeats
    from tocsin.wire.check_in import to_heartbeat, to_report

ZONES = Zones(read_zone)
NAMES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
POLICIES = list(DaylightPolicy)
INSTANTS = (FIRST_MS, -1, 0, 1_774_749_600_000, LAST_MS - 1)


def schedule(make) -> None:
    """Compiles a schedule: either an error that names its field, or fire times that go forward and come back."""
    compiler = Compiler(ZONES)
    one = make()
    try:
        number = compiler.compile((one,))
    except errors.InvalidArgument as error:
        assert error.reason
        assert str(error).startswith("schedule.")
        return
    except errors.Unimplemented:
        return
    assert words.describe((one,))
    for instant in INSTANTS:
        after, before = compiler.next_after(number, instant), compiler.prev_before(number, instant)
        assert after > instant
        assert before < instant or before == NEVER
        if after != NEVER:
            back = compiler.prev_before(number, after)
            assert back <= instant or back == NEVER, (one, instant, after, back)


def cron(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone, policy = source.PickValueInList(list(NAMES)), source.PickValueInList(POLICIES)
    schedule(lambda: Cron(source.ConsumeUnicodeNoSurrogates(120), zone, policy))


def rrule(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone = source.PickValueInList(list(NAMES))
    schedule(lambda: RRule(source.ConsumeUnicodeNoSurrogates(200), time_zone=zone))


def on_calendar(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    zone = source.PickValueInList(list(NAMES))
    schedule(lambda: OnCalendar(source.ConsumeUnicodeNoSurrogates(120), time_zone=zone))


def a_tzif(data: bytes) -> None:
    try:
        transitions, offsets = tzif.parse(data)
        zone = Zone(transitions, offsets)
    except ValueError:
        return
    for second in (*transitions[:3], *transitions[-3:], 0, 4_102_444_800, 253_402_300_799):
        begin, end, offset = zone.segment(second)
        assert zone.offset_at(second) == offset
        assert begin is None or begin <= second
        assert end is None or end > second


def envelope(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    cut = source.ConsumeIntInRange(0, 50)
    body = source.ConsumeBytes(10_000)
    results = []
    for pieces in ((body,), (body[:cut], body[cut:])):
        parser = Parser(Limits(held=5_000, check_in=500, check_ins=5, header=300))
        try:
            for piece in pieces:
                parser.feed(piece)
            parser.close()
        except EnvelopeError as problem:
            results.append(str(problem))
        else:
            results.append((parser.items, parser.counts))
    assert results[0] == results[1]


ARRIVAL = Arrival(1, 1_795_289_021_123, "fuzz/1")


def judged(outcome: mapping.Outcome) -> None:
    """A report that the rules may see, or exactly one reason why there is none; texts that a database takes."""
    dropped = [refused for refused in outcome.refusals if refused.dropped]
    assert (outcome.report is None) == (len(dropped) == 1)
    for refused in outcome.refusals:
        assert refused.reason in RefusalReason.__members__
        assert len(refused.payload) <= PAYLOAD_MAX
        assert len(refused.detail) < 5_000
        f"{refused.detail}{refused.payload}{refused.environment}{refused.check_in_id}".encode()
    if (report := outcome.report) is not None:
        assert 1 <= len(report.monitor_id) <= 50
        assert 1 <= len(report.environment.encode()) <= 256
        assert report.duration_ms is None or 0 <= report.duration_ms < 2**31
        assert report.upsert is None or not report.upsert_error
        f"{report.release}{report.host}{report.trace_id}{report.client}{report.upsert_error}".encode()


def check_in(data: bytes) -> None:
    judged(mapping.from_json(data, ARRIVAL))


def cron_request(data: bytes) -> None:
    """First line: the path behind the host; second: the query; third: the content type; the rest is the body."""
    parts = [*data.split(b"\n", 3), b"", b"", b"", b""]
    path, query, kind = (part.decode("latin-1") for part in parts[:3])
    try:
        slug, _key = cron_endpoint.slug_and_key(path, path.rpartition("cron/")[2], "42")
        named = dict(parse_qsl(query, max_num_fields=100))
        sent = excerpt(cron_endpoint.seen(slug, named, kind, parts[3]))
        payload = cron_endpoint.payload(slug, named, kind, parts[3])
    except Rejection as rejection:
        assert rejection.status in (400, 404)
        assert rejection.detail.encode()
        return
    except ValueError as problem:
        assert "Max number of fields" in str(problem)
        return
    judged(mapping.to_report(payload, ARRIVAL, sent))


def courtesies(data: bytes) -> None:
    """What is read only as a courtesy: nothing is ever wrong with it."""
    error = events.read(data, 1, 2)
    if error is not None:
        assert len(bytes.fromhex(error.trace_id)) == 16
        assert len(error.type) <= events.TYPE_MAX
        assert len(error.value) <= events.VALUE_MAX
        (error.level + error.type + error.value).encode()
    try:
        schema.decode_client_report(data)
    except schema.SchemaError as problem:
        assert str(problem).startswith("$")


BATCHES = (
    (check_in_service_pb2.BatchCreateCheckInsRequest, read_check_ins, False),
    (check_in_service_pb2.StreamCheckInsRequest, read_check_ins, True),
    (heartbeat_service_pb2.BatchSendHeartbeatsRequest, read_heartbeats, False),
    (heartbeat_service_pb2.StreamHeartbeatsRequest, read_heartbeats, True),
)


def intake(data: bytes) -> None:
    """First byte: which request the others are. It is refused exactly when the generated class refuses it."""
    kind, read, stream = BATCHES[data[0] % 4 if data else 0]
    request = data[1:]
    try:
        meant = kind.FromString(request)
    except DecodeError:
        meant = None
    try:
        found = read(request, ("1",), 10_000, stream=stream)
    except errors.InvalidArgument as error:
        assert meant is None, "refused, and the generated class reads it"
        assert 1 <= int(error.metadata["position"]) <= len(request)
        return
    assert meant is not None, "read, and the generated class refuses it"
    assert (found.parent, found.count) == (meant.parent, len(meant.requests))
    command = ReportBatch(1, found.batch, 1, {})
    whole = "" if meant.parent.endswith("/-") else meant.parent.rpartition("/")[2]
    for row, message in enumerate(meant.requests):
        if row in found.rest:
            again = type(message).FromString(found.batch.request(row))
            assert found.rest[row].SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)
            continue
        report = report_of(command, row)
        if read is read_heartbeats:
            said = to_heartbeat(message, project=1, received=1)
        else:
            said = to_report(message, project=1, received=1, monitor_id=whole)
        for name in ("monitor_id", "kind", "environment", "duration_ms", "pair", "check_in_id", "time", "message"):
            assert getattr(report, name) == getattr(said, name), name


def telemetry(data: bytes) -> None:
    """A path and a query of Cronitor's: a report within the domain's bounds, or one refusal; and remarks."""
    place, _, query = data.partition(b"?")
    pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True)
    event = cronitor.Event(1, 1_774_749_600_000, unquote(place.decode("latin-1")), pairs)
    report, refusals = cronitor.to_report(event, lambda _text: None, create=True)
    if report is None:
        assert [refused.dropped for refused in refusals] == [True]
        return
    assert not any(refused.dropped for refused in refusals)
    assert 0 < len(report.monitor_id) <= 128
    assert report.duration_ms is None or 0 <= report.duration_ms <= MAX_DURATION
    assert len(report.metrics) <= MAX_METRICS
    assert all(map(math.isfinite, report.metrics.values()))
    assert report.exit_code is None or -(2**31) <= report.exit_code < 2**31
    assert max(len(report.series), len(report.host)) <= 255
    assert len(report.message) <= 2_000


VALUES = {
    "NAME": 'back<up> & "co"',
    "N": 7,
    "F": False,
    "E": "",
    "NULL": None,
    "TAGS": ["team:core", "env=prod"],
    "O": {"a": 1, "b": {"c": "deep"}},
    "L": [{"n": 1, "m": ["p"]}, {"n": 2, "m": []}],
    "ISO": "2026-03-20T10:00:01.500Z",
}
NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)


def template(data: bytes) -> None:
    """It is refused with a line, or rendered within its bounds; what has no tags is what it was."""
    text = data.decode("utf-8", "replace")
    try:
        program = parse(text)
    except TemplateError as error:
        assert str(error).startswith("line ")
        return
    try:
        written = render(program, VALUES, NOW)
    except TooMuch:
        return
    assert len(written) <= OUTPUT_MAX
    assert "{{" in text or written == text
    written.encode()


TARGETS = {
    "intake": intake,
    "cron": cron,
    "tzif": a_tzif,
    "rrule": rrule,
    "on_calendar": on_calendar,
    "envelope": envelope,
    "check_in": check_in,
    "cron_endpoint": cron_request,
    "courtesies": courtesies,
    "telemetry": telemetry,
    "template": template,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
