"""The queue that batchers share: when a batch is due, what it holds, what becomes of each report."""

from concurrent.futures import Future

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from tocsin.client.batch import BYTES_MAX, Batch, Item, Outbox, heartbeat_report, prepare
from tocsin.client.errors import ClientError
from tocsin.client.report_calls import report
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsResponse


def item(since: float = 0.0, message: str = "") -> Item[Future[CheckIn]]:
    return Item(prepare(report("a", "ok", message=message)), Future[CheckIn](), since)


def failure(code: int, reason: str, retry_s: int | None = None) -> Status:
    status = Status(code=code, message=reason)
    details = [ErrorInfo(reason=reason, domain="tocsin")]
    if retry_s is not None:
        details.append(RetryInfo())
        details[-1].retry_delay.seconds = retry_s
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def test_a_batch_is_due_when_full_or_when_the_first_has_lingered() -> None:
    outbox: Outbox[Future[CheckIn]] = Outbox(size=2, linger=1.0)
    assert outbox.wait(0.0) is None
    outbox.add(item(since=10.0))
    assert outbox.wait(10.25) == 0.75
    outbox.add(item(since=10.5))
    assert outbox.wait(10.5) == 0.0
    assert len(outbox.take().items) == 2


def test_flushed_reports_do_not_linger_and_later_ones_do() -> None:
    outbox: Outbox[Future[CheckIn]] = Outbox(size=10, linger=60.0)
    outbox.add(item())
    outbox.hurry = outbox.added
    assert outbox.wait(0.0) == 0.0
    taken = outbox.take()
    outbox.settle(len(taken.items), taken)
    outbox.add(item())
    assert outbox.wait(0.0) == 60.0


def test_full_counts_what_is_on_its_way() -> None:
    outbox: Outbox[Future[CheckIn]] = Outbox(limit=2)
    outbox.add(item())
    outbox.add(item())
    batch = outbox.take()
    assert outbox.full
    outbox.settle(2, batch)
    assert not outbox.full


def test_large_reports_are_spread_over_calls_and_none_is_stuck() -> None:
    outbox: Outbox[Future[CheckIn]] = Outbox()
    half = "x" * (BYTES_MAX // 2)
    for text in (half, half, "x" * (BYTES_MAX + 1), ""):
        outbox.add(item(message=text))
    assert [len(outbox.take().items) for _ in range(4)] == [1, 1, 1, 1]


@given(st.lists(st.integers(0, 400_000), max_size=30), st.integers(1, 10))
def test_every_report_is_taken_once_and_in_order(lengths: list[int], size: int) -> None:
    outbox: Outbox[Future[CheckIn]] = Outbox(size=size)
    items = [item(message="x" * length) for length in lengths]
    for each in items:
        outbox.add(each)
    taken = []
    while (batch := outbox.take()).items:
        assert len(batch.items) <= size
        taken += batch.items
    assert [each.request.check_in_id for each in taken] == [each.request.check_in_id for each in items]


def test_an_answer_is_shared_out() -> None:
    items = [item(), item(), item()]
    batch = Batch(items)
    answer = BatchCreateCheckInsResponse(check_ins=[CheckIn(uid="a"), CheckIn(), CheckIn(uid="c")])
    answer.failed_requests[1].CopyFrom(failure(5, "MONITOR_NOT_FOUND"))
    batch.call().read(answer)
    assert [items[0].future.result(0).uid, items[2].future.result(0).uid] == ["a", "c"]
    error = items[1].future.exception(0)
    assert isinstance(error, ClientError)
    assert error.reason == "MONITOR_NOT_FOUND"
    assert batch.failed == 1
    assert batch.items == []


def test_what_may_succeed_later_is_sent_again_alone() -> None:
    items = [item(), item(), item()]
    batch = Batch(items)
    call = batch.call()
    answer = BatchCreateCheckInsResponse(check_ins=[CheckIn(uid="a"), CheckIn(), CheckIn()])
    answer.failed_requests[1].CopyFrom(failure(14, "QUEUE_FULL", 1))
    answer.failed_requests[2].CopyFrom(failure(14, "QUEUE_FULL", 4))
    with pytest.raises(ClientError) as caught:
        call.read(answer)
    assert caught.value.retry_after == 4
    assert [each.check_in_id for each in call.request().requests] == [each.request.check_in_id for each in items[1:]]
    assert not items[1].future.done()
    call.read(BatchCreateCheckInsResponse(check_ins=[CheckIn(uid="b"), CheckIn(uid="c")]))
    assert [each.future.result(0).uid for each in items] == ["a", "b", "c"]


def test_reports_that_wait_have_an_id_and_their_own_time() -> None:
    start = prepare(report("a", "in_progress"))
    assert start.check_in_id
    assert start.check_in.HasField("start_time")
    end = prepare(report("a", "ok"))
    assert end.check_in_id
    assert end.stand_alone
    assert end.check_in.HasField("end_time")
    named = prepare(report("a", "error", check_in_id="0" * 31 + "1"))
    assert not named.stand_alone
    assert named.check_in_id == "0" * 31 + "1"
    assert heartbeat_report("a").stand_alone


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 1001}, {"linger": -1.0}, {"limit": 0}])
def test_senseless_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="size must be"):
        Outbox(**wrong)  # type: ignore[arg-type]
