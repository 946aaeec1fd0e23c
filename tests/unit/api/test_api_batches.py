"""Batches answer and record exactly as if each of their reports had been read by the generated class, one by one."""

from contextlib import contextmanager

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from support.batches import check_in_rows, heartbeat_rows, names, parents
from support.engines import T0, World
from tocsin.api.check_ins import CheckInHandlers
from tocsin.api.heartbeats import HeartbeatHandlers
from tocsin.domain import errors
from tocsin.domain import names as resource_names
from tocsin.domain.commands import PutMonitor
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project import Project, Scope
from tocsin.service.call import Call
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.service.principal import Principal
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import (
    BatchCreateCheckInsRequest,
    BatchCreateCheckInsResponse,
    StreamCheckInsRequest,
    StreamCheckInsResponse,
)
from tocsin.v1.heartbeat_service_pb2 import (
    BatchSendHeartbeatsRequest,
    BatchSendHeartbeatsResponse,
    SendHeartbeatRequest,
    StreamHeartbeatsRequest,
    StreamHeartbeatsResponse,
)
from tocsin.wire.check_in import from_check_in, to_heartbeat, to_report
from tocsin.wire.status import to_status

NOW = T0 + 60_000
KEY = Principal(Project(7, "shop", "Shop", "", T0), Scope.INGEST)
CALL = Call(KEY, NOW, "grpc", "tests/1")


class Journal:
    """Steps an engine at once."""

    def __init__(self):
        self.world, self.commands = World(), []
        for name in ("backup", "etl-1_x", "a" * 128):
            self.world.step(T0, PutMonitor(7, name, MonitorChange()))

    async def append(self, at, command):
        self.commands.append(command)
        return self.world.step(at, command)

    async def append_many(self, at, commands):
        return self.world.together(*((at, command) for command in commands)) if commands else []

    @property
    def kept(self):
        return self.world.kept.check_ins, [(made.monitor_id, made.reason) for made in self.world.kept.refusals]


def check_change(change, field):
    if change.display_name == "wrong":
        raise errors.invalid(f"{field}.display_name", "is wrong")


class Doors:
    def __init__(self):
        self.journal = Journal()
        self.service = CheckIns(self.journal, None, check_change, *[lambda *_: None] * 3)
        self.check_ins = CheckInHandlers(self.service, None, self.arrival)
        self.heartbeats = HeartbeatHandlers(self.service, self.arrival)

    @contextmanager
    def arrival(self):
        yield NOW


async def one_by_one(service, requests, convert, *, keep_going):
    """What the answer is made of: check-ins in order, and why others failed."""
    made, failed, reports = [CheckIn() for _ in requests], {}, {}
    for place, request in enumerate(requests):
        try:
            reports[place] = convert(request, f"requests[{place}]")
        except errors.TocsinError as error:
            if not keep_going:
                raise
            failed[place] = to_status(error)
    receipts = await service.report_many(KEY, list(reports.values()))
    for place, receipt in zip(reports, receipts, strict=True):
        if receipt.check_in:
            made[place] = from_check_in(receipt.check_in)
        problem = receipt.error or (refusal_error(receipt.refusal) if receipt.refusal else None)
        if problem:
            failed[place] = to_status(problem)
    return made, failed


async def check_ins_one_by_one(service, parent, requests, *, keep_going):
    monitor_id = ""
    if parent:
        name = resource_names.parse("monitor", parent, "parent")
        KEY.require_project(name.project)
        monitor_id = "" if name.monitor == "-" else name.monitor

    def convert(request, field):
        where = {"project": 7, "received": NOW, "client": "tests/1", "dialect": "grpc", "retry_safe": True}
        report = to_report(request, **where, monitor_id=monitor_id, field=field, own_project=KEY.require_project)
        service.check(report, f"{field}.monitor")
        return report

    return await one_by_one(service, requests, convert, keep_going=keep_going)


async def heartbeats_one_by_one(service, parent, requests):
    if parent is not None:
        KEY.require_project(resource_names.parse("project", parent, "parent").project)

    def convert(request, field):
        KEY.require_project(resource_names.parse("monitor", request.name, f"{field}.name").project)
        report = to_heartbeat(request, project=7, received=NOW, client="tests/1", field=field)
        return msgspec.structs.replace(report, dialect="grpc", retry_safe=True)

    return await one_by_one(service, requests, convert, keep_going=True)


async def same(asked, expected):
    """What both return, or the error that both raise."""
    outcomes = []
    for coroutine in (asked, expected):
        try:
            outcomes.append((await coroutine, None))
        except errors.TocsinError as error:
            outcomes.append((None, (type(error), error.message, error.metadata)))
    assert outcomes[0][1] == outcomes[1][1]
    return outcomes[0][0], outcomes[1][0]


@given(
    st.builds(
        BatchCreateCheckInsRequest,
        parent=parents,
        requests=st.lists(check_in_rows, max_size=6),
        return_partial_success=st.booleans(),
    )
)
async def test_a_batch_of_check_ins(request_):
    ours, plain = Doors(), Doors()
    keep_going = request_.return_partial_success
    answer, expected = await same(
        ours.check_ins.BatchCreateCheckIns(request_.SerializeToString(), CALL),
        check_ins_one_by_one(plain.service, request_.parent, request_.requests, keep_going=keep_going),
    )
    assert ours.journal.kept == plain.journal.kept
    if answer is not None:
        wanted = BatchCreateCheckInsResponse(check_ins=expected[0], failed_requests=expected[1])
        assert BatchCreateCheckInsResponse.FromString(answer) == wanted


async def stream_of(messages):
    for message in messages:
        yield message.SerializeToString()


streams = st.lists(
    st.builds(
        StreamCheckInsRequest,
        parent=parents,
        requests=st.lists(check_in_rows, max_size=4),
        sequence=st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=3,
)


@given(streams)
async def test_a_stream_of_check_ins(messages):
    ours, plain = Doors(), Doors()
    answers = ours.check_ins.StreamCheckIns(stream_of(messages), CALL)
    parent = ""
    for message in messages:
        parent = message.parent or parent
        answer, expected = await same(
            anext(answers), check_ins_one_by_one(plain.service, parent, message.requests, keep_going=True)
        )
        if answer is None:
            break
        failed = expected[1]
        count = len(message.requests) - len(failed)
        wanted = StreamCheckInsResponse(sequence=message.sequence, accepted_count=count, failed_requests=failed)
        assert StreamCheckInsResponse.FromString(answer) == wanted
    assert ours.journal.kept == plain.journal.kept


@given(
    st.builds(
        BatchSendHeartbeatsRequest,
        parent=names | st.just("projects/7"),
        requests=st.lists(heartbeat_rows, max_size=6),
    )
)
async def test_a_batch_of_heartbeats(request_):
    ours, plain = Doors(), Doors()
    answer, expected = await same(
        ours.heartbeats.BatchSendHeartbeats(request_.SerializeToString(), CALL),
        heartbeats_one_by_one(plain.service, request_.parent, request_.requests),
    )
    assert ours.journal.kept == plain.journal.kept
    if answer is not None:
        failed = expected[1]
        count = len(request_.requests) - len(failed)
        wanted = BatchSendHeartbeatsResponse(accepted_count=count, failed_requests=failed)
        assert BatchSendHeartbeatsResponse.FromString(answer) == wanted


@given(
    st.builds(
        StreamHeartbeatsRequest,
        parent=st.sampled_from(("", "projects/7", "projects/-", "projects/8", "nonsense")),
        requests=st.lists(heartbeat_rows, max_size=4),
        sequence=st.integers(-(2**63), 2**63 - 1),
    )
)
async def test_a_stream_of_heartbeats(message):
    ours, plain = Doors(), Doors()
    answer, expected = await same(
        anext(ours.heartbeats.StreamHeartbeats(stream_of([message]), CALL)),
        heartbeats_one_by_one(plain.service, message.parent or None, message.requests),
    )
    assert ours.journal.kept == plain.journal.kept
    if answer is not None:
        failed = expected[1]
        count = len(message.requests) - len(failed)
        wanted = StreamHeartbeatsResponse(sequence=message.sequence, accepted_count=count, failed_requests=failed)
        assert StreamHeartbeatsResponse.FromString(answer) == wanted


async def test_what_says_more_than_columns_goes_in_parts():
    """The engine steps each without giving others a turn; together they are as they were sent."""
    doors = Doors()
    beats = [SendHeartbeatRequest(name="projects/7/monitors/backup", message=f"{place}") for place in range(2_500)]
    for place in (0, 999, 1_700):
        beats[place].ClearField("message")
    beats[2_400].name = "projects/7/monitors/no-such"
    request = BatchSendHeartbeatsRequest(parent="projects/7", requests=beats).SerializeToString()
    answer = BatchSendHeartbeatsResponse.FromString(await doors.heartbeats.BatchSendHeartbeats(request, CALL))
    assert (answer.accepted_count, list(answer.failed_requests)) == (2_499, [2_400])
    sizes = [(len(command.batch), len(command.rest)) for command in doors.journal.commands]
    assert sizes == [(1_002, 1_000), (1_001, 1_000), (497, 497)]
    said = [run.message for _, run in sorted(doors.journal.kept[0].items())]
    assert said == [beat.message for beat in beats if "no-such" not in beat.name]
