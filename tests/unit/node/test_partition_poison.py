"""A report that breaks the engine is set aside; those that came in the same batch are recorded."""

import asyncio
from contextlib import suppress

from support.engines import T0, compiler
from support.stores import open_sqlite
from support.virtual import VirtualClock, run
from tocsin._core.batch import KINDS, Batch
from tocsin.domain.commands import PutMonitor, ReportBatch, ReportCheckIn
from tocsin.domain.monitor import MonitorChange
from tocsin.engine.engine import Engine
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.store import CheckInFilter
from tocsin.store.port import Fenced

OK = KINDS.index("OK")


class Allergic(Engine):
    """Breaks half-way through whatever names the monitor "poison"."""

    def step_many(self, entries):
        receipts = super().step_many(entries)
        for entry in entries:
            match entry.command:
                case ReportCheckIn(report=report):
                    named = {report.monitor_id}
                case ReportBatch(batch=batch):
                    named = {batch.row(row)[0] for row in range(len(batch))}
                case _:
                    named = set()
            if "poison" in named:
                raise RuntimeError("cannot stomach that")
        return receipts


def test_one_poisoned_row_does_not_take_its_batch_with_it(tmp_path):
    async def main(loop):
        clock, store = VirtualClock(loop, T0), open_sqlite(tmp_path)
        journal = LocalJournal(clock)
        partition = Partition(
            lambda: Allergic(compiler()), journal, store, clock, lambda _: None, lambda _seconds, _well: None, loop.time
        )
        await partition.start(clock.now())
        task = asyncio.ensure_future(partition.run())
        for name in ("good", "poison", "better"):
            await journal.append(clock.now(), PutMonitor(1, name, MonitorChange()))
        batch = Batch()
        for name in ("good", "poison", "better", "absent"):
            batch.append(name, OK, alone=True)
        receipt = await journal.append(clock.now(), ReportBatch(1, batch, clock.now(), {}))
        after = await journal.append(clock.now(), PutMonitor(1, "later", MonitorChange()))
        task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await task
        partition.close()
        found = store.list_check_ins(1, CheckInFilter(), size=10).rows
        refused = store.list_refusals(1, "poison", size=10).rows
        store.close()
        return receipt.batch.receipts, after, found, refused

    receipts, after, found, refused = run(main)
    assert after.monitors[0].id == "later"
    assert sorted(run.monitor_id for run in found) == ["better", "good"]
    assert receipts[0].check_in.monitor_id == "good"
    assert receipts[1].error.reason == "INTERNAL"
    assert receipts[2].check_in.monitor_id == "better"
    assert receipts[3].refusal.reason == "MONITOR_NOT_FOUND"
    assert [row.reason for row in refused] == ["INTERNAL"]
