"""Answers written from columns parse to what is made of the check-ins as objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._core import answers
from tocsin._core.batch import Batch
from tocsin._core.recorded import Recorded
from tocsin.domain import ids
from tocsin.domain.check_in import MAX_DURATION, STATE_NUMBERS, STATES_BY_NUMBER, CheckIn
from tocsin.domain.instant import NEVER
from tocsin.v1.check_in_pb2 import CheckIn as Message
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsResponse
from tocsin.wire.check_in import from_check_in
from tocsin.wire.time import LAST_INSTANT

instants = st.integers(0, LAST_INSTANT) | st.sampled_from((0, 1, 999, 1000, LAST_INSTANT, LAST_INSTANT + 1, 2**55))
rows = st.fixed_dictionaries(
    {
        "monitor_id": st.text("abz019-_", max_size=20) | st.sampled_from(("a" * 128, "b" * 60_000)),
        "environment": st.sampled_from(("", "", "staging")) | st.text(st.characters(codec="utf-8"), max_size=64),
        "number": st.integers(1, 2**63 - 1),
        "state": st.sampled_from(sorted(STATES_BY_NUMBER)),
        "receive_time": instants,
        "update_time": instants,
        "end_time": st.none() | instants | st.just(NEVER),
        "duration": st.none() | st.integers(0, MAX_DURATION),
        "expected_time": st.none() | instants,
    }
)
OWN, NOTHING, GONE = "own", "nothing", "gone"
texts = st.text(st.characters(codec="utf-8"), max_size=200)


def check_in(row, project, dialect, client):
    return CheckIn(
        number=row["number"],
        id=ids.public_id(row["number"]),
        project=project,
        monitor=1,
        monitor_id=row["monitor_id"],
        track=2,
        environment=row["environment"] or "production",
        state=STATES_BY_NUMBER[row["state"]],
        receive_time=row["receive_time"],
        update_time=row["update_time"],
        end_time=row["end_time"],
        duration_ms=row["duration"],
        expected_time=row["expected_time"],
        dialect=dialect,
        client=client,
    )


@given(
    st.lists(rows | st.sampled_from((OWN, NOTHING, GONE)), max_size=8),
    st.integers(1, 2**62),
    st.sampled_from(("grpc", "native")),
    texts,
)
def test_an_answer_is_what_objects_would_make(places, project, dialect, client):
    batch, recorded, own, expected = Batch(), Recorded(), {}, []
    for place in places:
        expected.append(Message())
        if place == GONE:
            continue
        if place in (OWN, NOTHING):
            row = batch.append("backup", 2)
            if place == OWN:
                expected[-1] = Message(uid="c" * 32, message="m" * 200 * row)
                own[row] = expected[-1].SerializeToString()
            continue
        row = batch.append(place["monitor_id"], 2, place["environment"])
        times = {name: place[name] for name in ("receive_time", "update_time", "end_time", "duration", "expected_time")}
        recorded.append(place["number"], 1, 2, place["state"], **times, row=row)
        expected[-1] = from_check_in(check_in(place, project, dialect, client))
    gone = [index for index, place in enumerate(places) if place == GONE]
    written = answers.check_ins(batch, recorded, own, gone, project, dialect, client)
    wanted = BatchCreateCheckInsResponse(check_ins=expected)
    assert BatchCreateCheckInsResponse.FromString(written) == wanted
    assert written == wanted.SerializeToString()


def test_every_state_has_its_number_on_the_wire():
    for state, number in STATE_NUMBERS.items():
        batch, recorded = Batch(), Recorded()
        recorded.append(1, 1, 1, number, 5, 5, row=batch.append("backup", 2))
        written = BatchCreateCheckInsResponse.FromString(answers.check_ins(batch, recorded, {}, (), 7, "grpc", ""))
        assert Message.State.Name(written.check_ins[0].state) == f"STATE_{state.name}"


def test_the_lid():
    batch, recorded = Batch(), Recorded()
    batch.append("backup", 2)
    for gone in ((2,), (-1,), (0, 0)):
        with pytest.raises(ValueError, match="left out"):
            answers.check_ins(batch, recorded, {}, gone, 7, "grpc", "")
    with pytest.raises(ValueError, match="an answer of report 1 of 1"):
        answers.check_ins(batch, recorded, {1: b""}, (), 7, "grpc", "")
    with pytest.raises(TypeError):
        answers.check_ins(batch, recorded, {0: "text"}, (), 7, "grpc", "")  # type: ignore[dict-item]
    recorded.append(1, 1, 1, 1, 5, 5)
    with pytest.raises(ValueError, match="check-in 0 is of report"):  # made from silence: nobody asked
        answers.check_ins(batch, recorded, {}, (), 7, "grpc", "")
    twice = Recorded()
    for _ in range(2):
        twice.append(1, 1, 1, 1, 5, 5, row=0)
    with pytest.raises(ValueError, match="check-in 1 is of report 0"):
        answers.check_ins(batch, twice, {}, (), 7, "grpc", "")


def test_rows_that_are_recorded_come_back_as_they_went():
    recorded = Recorded()
    recorded.append(9, 1, 2, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    assert recorded.row(0) == (9, 1, 2, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    recorded.append(9, 1, 2, 1, 5, 6)
    assert recorded.row(1) == (9, 1, 2, 1, 5, 6, None, None, None, 0, 0, 0, None)
    with pytest.raises(ValueError, match="no state 8"):
        recorded.append(9, 1, 2, 8, 5, 6)
    with pytest.raises(ValueError, match="a duration of -1"):
        recorded.append(9, 1, 2, 1, 5, 6, duration=-1)


def test_rows_of_another_come_behind():
    first, second = Recorded(), Recorded()
    first.append(1, 1, 1, 1, 5, 5, row=0)
    second.append(2, 1, 1, 1, 5, 5, row=3)
    second.append(3, 1, 1, 1, 5, 5)
    first.extend(second, 1_000)
    assert [(first.row(i)[0], first.row(i)[-1]) for i in range(len(first))] == [(1, 0), (2, 1_003), (3, None)]
