"""A program for a fresh interpreter: as `starved`, for what reads, holds and answers batches."""

from support.fresh import starve
from tocsin._core import answers, intake
from tocsin._core.batch import Batch
from tocsin._core.recorded import Recorded
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsRequest, CreateCheckInRequest

OWN = ("7", "shop", "-")
ROWS = [CreateCheckInRequest(parent=f"projects/7/monitors/m-{i}", kind=1 + i % 8) for i in range(40)]
REQUEST = BatchCreateCheckInsRequest(parent="projects/7/monitors/-", requests=ROWS).SerializeToString()
MALFORMED = REQUEST + b"\0"
MESSAGES = {1: b"\x12\x01a", 9: b"\x12\x01b"}


def read():
    return intake.check_ins(REQUEST, OWN, 1_000)


def is_read(found):
    return len(found.batch) == found.count == 40 and len(found.batch.rest()) == 10 and found.batch.row(39)[0] == ""


def full_batch():
    batch = Batch()
    for i in range(16):
        batch.append("x" * 16, i % 6)
    return batch


def batch_answers(batch):
    return [batch.row(i) for i in range(16)] == [("x" * 16, i % 6, "", -1, False, False) for i in range(16)]


def full_recorded():
    recorded = Recorded()
    for i in range(16):
        recorded.append(i, 1, 1, 1, 5, 5, row=i)
    return recorded


def recorded_answers(recorded):
    return [recorded.row(i)[0] for i in range(16)] == list(range(16))


def write(batch):
    return answers.check_ins(batch, full_recorded(), {}, (16,), 7, "grpc", "starved/1")


def refuse(_):
    try:
        intake.check_ins(MALFORMED, OWN, 1_000)
    except intake.Malformed as malformed:
        assert malformed.offset == len(REQUEST)


PATHS = {
    "intake, read": (lambda: None, lambda _: intake.check_ins(REQUEST, OWN, 1_000), lambda _: True),
    "intake, refused": (lambda: None, refuse, lambda _: True),
    "intake, text": (lambda: None, lambda _: intake.text_of(REQUEST, 1), lambda _: True),
    "intake, rest": (read, lambda found: intake.rest(found.batch), is_read),
    "batch, appended": (full_batch, lambda batch: batch.append("y" * 300, 0), batch_answers),
    "batch, row": (read, lambda found: found.batch.row(0), is_read),
    "recorded, appended": (full_recorded, lambda one: one.append(16, 1, 1, 1, 5, 5), recorded_answers),
    "recorded, numbers": (full_recorded, lambda one: one.numbers(), recorded_answers),
    "answers, written": (full_batch, write, batch_answers),
}


if __name__ == "__main__":
    starve(PATHS, lasting=False)
