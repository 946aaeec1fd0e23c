"""The queue between edges and the loop: order, bounds, and how far judging may go."""

import asyncio

import pytest

from support.engines import T0
from support.virtual import VirtualClock, run
from tocsin._core.batch import KINDS, Batch
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import ReportBatch, ReportCheckIn, Tick
from tocsin.domain.errors import Unavailable
from tocsin.domain.receipt import Receipt
from tocsin.journal.local import LocalJournal


def on_virtual_time(test):
    def wrapped():
        async def main(loop):
            clock = VirtualClock(loop, T0)
            await test(clock, lambda **options: LocalJournal(clock, **options))

        run(main)

    wrapped.__name__ = test.__name__
    return wrapped


def queue(journal, *instants):
    return [asyncio.ensure_future(journal.append(at, Tick())) for at in instants]


@on_virtual_time
async def test_entries_come_out_in_order_and_answers_go_to_their_senders(clock, make):
    journal = make()
    sent = queue(journal, T0, T0 + 1, T0 + 2)
    await asyncio.sleep(0)
    batch = await journal.take(limit=10, wait=0)
    assert [waiting.entry.at for waiting in batch] == [T0, T0 + 1, T0 + 2]
    receipts = [Receipt(created=True), Receipt(), Receipt(created=True)]
    for waiting, receipt in zip(batch, receipts, strict=True):
        waiting.resolve(receipt)
    assert await asyncio.gather(*sent) == receipts


@on_virtual_time
async def test_a_take_waits_for_the_first_entry_and_no_longer(clock, make):
    journal = make()
    assert await journal.take(limit=10, wait=3) == []
    assert clock.now() == T0 + 3_000
    taking = asyncio.ensure_future(journal.take(limit=10, wait=60))
    await asyncio.sleep(1)
    sent = queue(journal, clock.now())
    assert len(await taking) == 1
    assert clock.now() == T0 + 4_000
    sent[0].cancel()


@on_virtual_time
async def test_the_horizon_stops_at_the_oldest_arrival(clock, make):
    journal = make(hold_ms=500)
    assert journal.horizon() == T0
    with journal.arrival() as at:
        await asyncio.sleep(0.3)
        assert journal.horizon() == at == T0
        with journal.arrival():
            assert journal.horizon() == at
    assert journal.horizon() == T0 + 300


@on_virtual_time
async def test_a_slow_client_holds_the_horizon_no_longer_than_agreed(clock, make):
    journal = make(hold_ms=500)
    with journal.arrival():
        await asyncio.sleep(10)
        assert journal.horizon() == T0 + 9_500


@on_virtual_time
async def test_what_is_queued_holds_the_horizon_however_long(clock, make):
    journal = make(hold_ms=500)
    sent = queue(journal, T0 + 40, T0)
    await asyncio.sleep(10)
    assert journal.horizon() == T0
    assert journal.lag_ms() == 9_960
    await journal.take(limit=2, wait=0)
    assert journal.horizon() == T0 + 10_000
    for one in sent:
        one.cancel()


@on_virtual_time
async def test_an_arrival_that_fails_holds_nothing(clock, make):
    journal = make()
    with pytest.raises(ConnectionError), journal.arrival():
        raise ConnectionError
    await asyncio.sleep(1)
    assert journal.horizon() == T0 + 1_000


@on_virtual_time
async def test_a_full_queue_refuses_and_remembers_since_when(clock, make):
    journal = make(limit=2)
    sent = queue(journal, T0, T0)
    await asyncio.sleep(1)
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            await journal.append(clock.now(), Tick())
        assert refused.value.reason == "QUEUE_FULL"
        assert refused.value.retry_after_ms > 0
        await asyncio.sleep(1)
    assert journal.take_refused() == (T0 + 1_000, T0 + 2_000)
    assert journal.take_refused() is None
    for one in sent:
        one.cancel()


@on_virtual_time
async def test_a_queue_is_full_of_bytes_before_it_is_full_of_entries(clock, make):
    journal = make(limit=100, limit_bytes=100_000)
    report = Report(1, "a", ReportKind.OK, T0, message="x" * 16_000)
    sent = [asyncio.ensure_future(journal.append(T0, ReportCheckIn(report))) for _ in range(9)]
    await asyncio.sleep(0)
    assert 0 < len(journal) < 9
    assert journal.waiting_bytes <= 100_000
    await asyncio.sleep(0)
    assert {one.exception().reason for one in sent if one.done()} == {"QUEUE_FULL"}
    assert journal.take_refused() == (T0, T0)
    batch = await journal.take(limit=9, wait=0)
    assert journal.waiting_bytes == 0
    journal.put_back(batch)
    assert journal.waiting_bytes > 0
    journal.abandon()
    assert journal.waiting_bytes == 0
    await asyncio.gather(*sent, return_exceptions=True)


@on_virtual_time
async def test_what_was_refused_before_it_came_here_is_remembered_too(clock, make):
    journal = make()
    journal.overloaded()
    await asyncio.sleep(1)
    journal.overloaded()
    assert journal.take_refused() == (T0, T0 + 1_000)


@on_virtual_time
async def test_many_are_queued_all_or_none(clock, make):
    journal = make(limit=4)
    one = asyncio.ensure_future(journal.append_many(T0, [Tick()] * 3))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await journal.append_many(T0, [Tick()] * 2)
    assert len(journal) == 3
    for place, waiting in enumerate(await journal.take(limit=9, wait=0)):
        waiting.resolve(Receipt(created=place == 1))
    assert [receipt.created for receipt in await one] == [False, True, False]
    assert await journal.append_many(T0, []) == []


@on_virtual_time
async def test_one_bad_entry_of_many_does_not_hide_the_others(clock, make):
    journal = make()
    many = asyncio.ensure_future(journal.append_many(T0, [Tick()] * 2))
    await asyncio.sleep(0)
    first, second = await journal.take(limit=9, wait=0)
    second.fail(Unavailable("no", reason="INTERNAL"))
    first.resolve(Receipt(created=True))
    good, bad = await many
    assert good.created
    assert bad.error.reason == "INTERNAL"


@on_virtual_time
async def test_a_caller_waits_so_long_and_no_longer(clock, make):
    journal = make(answer_within_ms=2_000)
    with pytest.raises(Unavailable) as gave_up:
        await journal.append(T0, Tick())
    assert gave_up.value.reason == "STORE_UNAVAILABLE"
    assert clock.now() == T0 + 2_000
    [waiting] = await journal.take(limit=9, wait=0)  # it is still queued, and will be recorded
    waiting.resolve(Receipt())  # to nobody, without harm


@on_virtual_time
async def test_a_closed_journal_refuses_and_still_gives_what_it_has(clock, make):
    journal = make()
    sent = queue(journal, T0)
    await asyncio.sleep(0)
    journal.close()
    with pytest.raises(Unavailable) as refused:
        await journal.append(T0, Tick())
    assert refused.value.reason == "SHUTTING_DOWN"
    [waiting] = await journal.take(limit=9, wait=0)
    waiting.resolve(Receipt(created=True))
    assert (await sent[0]).created


@on_virtual_time
async def test_abandoning_tells_everybody(clock, make):
    journal = make()
    sent = queue(journal, T0, T0)
    await asyncio.sleep(0)
    journal.abandon()
    assert [(await one).error.reason for one in sent] == ["SHUTTING_DOWN"] * 2
    assert len(journal) == 0


@on_virtual_time
async def test_what_is_put_back_comes_first_again(clock, make):
    journal = make()
    sent = queue(journal, T0, T0 + 1, T0 + 2)
    await asyncio.sleep(0)
    batch = await journal.take(limit=2, wait=0)
    journal.put_back(batch)
    again = await journal.take(limit=9, wait=0)
    assert [waiting.entry.at for waiting in again] == [T0, T0 + 1, T0 + 2]
    for one in sent:
        one.cancel()


@on_virtual_time
async def test_the_horizon_stands_still_once_nobody_listens(clock, make):
    journal = make()
    await asyncio.sleep(1)
    journal.stop_listening()
    await asyncio.sleep(30)
    assert journal.horizon() == T0 + 1_000


def reports(count):
    batch = Batch()
    for _ in range(count):
        batch.append("job", KINDS.index("OK"))
    return ReportBatch(1, batch, T0, {})


@on_virtual_time
async def test_each_report_of_a_batch_counts(clock, make):
    journal = make(limit=10)
    sent = [asyncio.ensure_future(journal.append(T0, reports(size))) for size in (4, 5)]
    await asyncio.sleep(0)
    assert len(journal) == 9
    with pytest.raises(Unavailable):
        await journal.append(T0, reports(2))
    sent += queue(journal, T0)
    await asyncio.sleep(0)
    first = await journal.take(limit=8, wait=0)
    assert [waiting.rows for waiting in first] == [4]
    journal.put_back(first)
    assert len(journal) == 10
    assert [waiting.rows for waiting in await journal.take(limit=3, wait=0)] == [4]
    assert [waiting.rows for waiting in await journal.take(limit=6, wait=0)] == [5, 1]
    assert (len(journal), journal.waiting_bytes) == (0, 0)
    for one in sent:
        one.cancel()


@on_virtual_time
async def test_one_that_is_larger_than_all_room_is_taken_when_it_is_alone(_clock, make):
    journal = make(limit=10, limit_bytes=100)
    sent = asyncio.ensure_future(journal.append(T0, reports(11)))
    await asyncio.sleep(0)
    assert len(journal) == 11
    with pytest.raises(Unavailable):
        await journal.append(T0, reports(1))
    [waiting] = await journal.take(limit=10, wait=0)
    assert waiting.rows == 11
    sent.cancel()


@on_virtual_time
async def test_what_a_request_waits_for_on_our_side_holds_the_horizon_until_it_is_over(clock, make):
    journal = make(hold_ms=500)
    await asyncio.sleep(1)
    with journal.hold(T0 + 900), journal.hold(T0 + 800):
        await asyncio.sleep(10)
        assert journal.horizon() == T0 + 800
    assert journal.horizon() == T0 + 11_000
    assert journal.take_refused() is None


@on_virtual_time
async def test_what_could_not_be_done_for_a_request_is_remembered_as_refused(clock, make):
    journal = make()
    await asyncio.sleep(3)
    journal.overloaded()
    with pytest.raises(Unavailable), journal.hold(T0 + 500):
        await asyncio.sleep(1)
        raise Unavailable("no", reason="STORE_UNAVAILABLE")
    assert journal.take_refused() == (T0 + 500, T0 + 4_000)
    with pytest.raises(asyncio.CancelledError), journal.hold(T0 + 500):  # the client has gone
        raise asyncio.CancelledError
    assert journal.take_refused() is None
    assert journal.horizon() == T0 + 4_000
