"""How long a client is waited for; the loop's clock is the test's own."""

import pytest
import uvicorn
from uvicorn.server import ServerState

from tocsin.app.http_protocol import BODY_S, HEAD_S, HttpProtocol

ANNOUNCED = b"POST /report/a HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"


class Loop:
    """As much of a loop as a connection needs: timers ring when `wait` has come so far."""

    def __init__(self):
        self.now, self.timers = 0.0, []

    def time(self):
        return self.now

    def call_later(self, seconds, call):
        self.timers.append((self.now + seconds, call))

    def create_task(self, coroutine, **_):
        coroutine.close()  # nobody answers here

        class Task:
            def add_done_callback(self, _call):
                pass

        return Task()

    def wait(self, seconds):
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer[0] <= until]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = until


class Transport:
    closed = False

    def get_extra_info(self, _name, default=None):
        return default

    def write(self, _data):
        pass

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        pass

    resume_reading = pause_reading


@pytest.fixture
def connection():
    async def app(_scope, _receive, _send):
        pass

    config = uvicorn.Config(app, http=HttpProtocol, ws="none", lifespan="off", log_config=None)
    made = HttpProtocol(config, ServerState(), {}, Loop())
    made.connection_made(Transport())
    return made


def test_one_that_says_nothing(connection):
    connection.loop.wait(HEAD_S)
    assert connection.transport.closed


def test_one_that_goes_away_within_a_body(connection):
    connection.data_received(ANNOUNCED + b"half")
    connection.loop.wait(BODY_S - 1)
    assert not connection.transport.closed
    connection.data_received(b"more")
    connection.loop.wait(BODY_S - 1)
    assert not connection.transport.closed
    connection.loop.wait(HEAD_S)
    assert connection.transport.closed


def test_one_that_waits_for_us(connection):
    connection.data_received(ANNOUNCED + b"all of it")
    connection.loop.wait(10 * BODY_S)
    assert not connection.transport.closed


def test_one_that_we_do_not_listen_to(connection):
    connection.data_received(ANNOUNCED + b"half")
    connection.flow.pause_reading()
    connection.loop.wait(10 * BODY_S)
    assert not connection.transport.closed
    connection.flow.resume_reading()
    connection.loop.wait(2 * BODY_S)
    assert connection.transport.closed
