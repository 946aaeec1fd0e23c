"""What goes over the wire is what uvicorn would write, in fewer pieces."""

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tocsin.app.http_cycle import Cycle


class Transport:
    def __init__(self):
        self.pieces, self.closed = [], False

    def write(self, data):
        self.pieces.append(bytes(data))

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


class Flow:
    write_paused = False

    def resume_reading(self):
        pass


def play(kind, messages, method="GET", *, keep_alive=True):
    """What was written, whether the connection was closed, whether the answer is complete, and the error."""
    transport, answered = Transport(), []

    async def main():
        cycle = kind(
            {"method": method, "type": "http"}, transport, Flow(), logging.getLogger("x"), logging.getLogger("x"), False,
            [(b"date", b"now")], asyncio.Event(), False, keep_alive, lambda: answered.append(1),
        )  # fmt: skip
        try:
            for message in messages:
                await cycle.send(message)
        except RuntimeError:
            return "refused"
        return "taken"

    told = asyncio.run(main())
    return b"".join(transport.pieces), transport.closed, answered, told, len(transport.pieces)


def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content=b"", *, more=False):
    return {"type": "http.response.body", "body": content, "more_body": more}


HEADER = st.sampled_from(
    [(b"X-A", b"1"), (b"connection", b"close"), (b"connection", b"keep-alive"), (b"Retry-After", b"1"), (b"x", b"\xe4")]
)
METHODS = st.sampled_from(["GET", "HEAD", "POST"])


@given(
    METHODS,
    st.sampled_from([200, 204, 304, 404, 503]),
    st.lists(HEADER, max_size=3),
    st.binary(max_size=5),
    st.booleans(),
)
def test_a_whole_answer(method, status, headers, content, keep_alive):
    messages = [start(status, [*headers, (b"content-length", b"%d" % len(content))]), body(content)]
    theirs = play(RequestResponseCycle, messages, method, keep_alive=keep_alive)
    ours = play(Cycle, messages, method, keep_alive=keep_alive)
    assert ours[:4] == theirs[:4]
    assert ours[4] == 1


@given(METHODS, st.lists(HEADER, max_size=2), st.lists(st.binary(max_size=4), max_size=3), st.booleans())
def test_a_stream(method, headers, pieces, announced):
    length = [(b"content-length", b"%d" % sum(map(len, pieces)))] if announced else []
    messages = [start(200, [*headers, *length]), *(body(piece, more=True) for piece in pieces), body()]
    assert play(Cycle, messages, method)[:4] == play(RequestResponseCycle, messages, method)[:4]


def test_the_head_of_a_stream_does_not_wait():
    assert play(Cycle, [start(200, [(b"content-type", b"x")])])[0].endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "messages",
    [
        [start(200, [(b"content-length", b"2")]), body(b"longer")],
        [start(200, [(b"content-length", b"9")]), body(b"short")],
        [start(200, [(b"content-length", b"0"), (b"a\r\nb", b"c")]), body()],
        [start(200, [(b"content-length", b"0"), (b"a", b"b\r\nc: d")]), body()],
        [start(200, [(b"content-length", b"0")]), start(200)],
        [body()],
    ],
)
def test_what_is_no_answer_is_refused_and_none_of_it_is_sent_whole(messages):
    sent, _, answered, told, _ = play(Cycle, messages)
    assert told == "refused"
    assert not answered
    assert b"c: d" not in sent
