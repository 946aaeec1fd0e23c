"""What reads and answers batches: no memory is an error, what is no longer used goes back, and the GIL is given up."""

import pytest

from support.fresh import run
from support.meanwhile import Meanwhile
from tocsin._core import answers, intake
from tocsin._core.batch import Batch
from tocsin._core.recorded import Recorded
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsRequest, CreateCheckInRequest


def test_every_request_for_memory_may_be_refused():
    pytest.importorskip("_testcapi", reason="this Python was built without the module that refuses memory")
    refused = [line.split(": ") for line in run("-m", "support.starved_batches").splitlines()]
    assert len(refused) > 15
    assert [name for name, count in refused if int(count) == 0] == []


LEAK = """
import gc
import psutil
from support import starved_batches as all

def once():
    for make, call, answers in all.PATHS.values():
        for _ in range(20):
            call(make())

process = psutil.Process()
for _ in range(20):
    once()
gc.collect()
before = process.memory_info().rss
for _ in range(100):
    once()
gc.collect()
print(process.memory_info().rss - before)
"""


def test_memory_is_given_back():
    assert int(run("-c", LEAK)) < 2**20


def test_a_batch_is_read_and_answered_without_the_gil():
    rows = [CreateCheckInRequest(parent=f"projects/7/monitors/m-{i}", kind="KIND_OK") for i in range(20_000)]
    data = BatchCreateCheckInsRequest(requests=rows).SerializeToString()
    batch, recorded = Batch(), Recorded()
    for i in range(20_000):
        recorded.append(i, 1, 1, 1, 5, 5, row=batch.append("m", 2))
    with Meanwhile() as other:
        assert other.advances(lambda: intake.check_ins(data, ("7",), 20_000))
        assert other.advances(lambda: answers.check_ins(batch, recorded, {}, (), 7, "grpc", ""))
        assert not other.advances(lambda: sum(range(10_000)), rounds=20)
