"""The load: a process of its own that keeps so many requests in flight against an address, and times each answer.

    python load.py KIND --address HOST:PORT [--in-flight N] [--seconds S] [--rate R] FILE

FILE holds the requests, pickled. The process prints "ready", waits for a line on its standard input, runs, and prints
one line of JSON: answered, seconds, and the sorted latencies' p50, p90, p99 and largest in milliseconds. An answer that
is not a success ends it. With a rate, of all requests together, each of the N sends at its own even times, and at once
when the answer before came too late for them. KIND:

    unary   gRPC calls of bytes to a method: {"method", "metadata", "requests"}, in turn
    stream  the same, through one bidirectional stream, so many messages in flight
    http    whole HTTP/1.1 requests as bytes on so many keep-alive connections: {"requests", "once"}
"""

import argparse
import asyncio
import itertools
import json
import pickle
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import grpc
import uvloop


class Clock:
    """When to stop, and how long each request took."""

    def __init__(self, seconds: float, in_flight: int = 1, rate: float = 0.0) -> None:
        self.latencies: list[float] = []
        self._begin = time.perf_counter()
        self._end = self._begin + seconds
        self._apart = in_flight / rate if rate else 0.0  # seconds between two requests of one sender
        self._offset = 1 / rate if rate else 0.0

    def wait(self, sender: int, count: int) -> float:
        """Seconds until a sender may send its request of this number, both from 0."""
        return max(0.0, self._begin + sender * self._offset + count * self._apart - time.perf_counter())

    def done(self) -> bool:
        return time.perf_counter() >= self._end

    def told(self) -> str:
        seconds = time.perf_counter() - self._begin
        ordered = sorted(self.latencies)
        places = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        found = {name: ordered[min(int(len(ordered) * at), len(ordered) - 1)] * 1000 for name, at in places.items()}
        return json.dumps({"answered": len(ordered), "seconds": seconds, **found})


def wait_for_go() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


async def unary(address: str, work: dict, in_flight: int, seconds: float, rate: float) -> Clock:
    async with grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary(work["method"])
        requests = cycle(work["requests"])
        await channel.channel_ready()
        wait_for_go()
        clock = Clock(seconds, in_flight, rate)

        async def keep_asking(sender: int) -> None:
            for count in itertools.count():
                if wait := clock.wait(sender, count):
                    await asyncio.sleep(wait)
                if clock.done():
                    return
                begin = time.perf_counter()
                await call(next(requests), metadata=work["metadata"])
                clock.latencies.append(time.perf_counter() - begin)

        await asyncio.gather(*(keep_asking(sender) for sender in range(in_flight)))
        return clock


async def stream(address: str, work: dict, in_flight: int, seconds: float, _rate: float) -> Clock:
    async with grpc.aio.insecure_channel(address) as channel:
        requests = cycle(work["requests"])
        sent: deque[float] = deque()
        room = asyncio.Semaphore(in_flight)
        await channel.channel_ready()
        wait_for_go()
        clock = Clock(seconds)

        async def messages() -> AsyncIterator[bytes]:
            while not clock.done():
                await room.acquire()
                sent.append(time.perf_counter())
                yield next(requests)

        async for _ in channel.stream_stream(work["method"])(messages(), metadata=work["metadata"]):
            clock.latencies.append(time.perf_counter() - sent.popleft())
            room.release()
        return clock


class Connection(asyncio.Protocol):
    """One keep-alive connection: the next request goes out when the answer to the last has come in whole."""

    def __init__(self, requests: Iterator[bytes], clock: Clock, sender: int) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._sender, self._count = sender, 0
        self._clock = clock
        self._held = b""
        self._sent = 0.0

    def connection_made(self, transport) -> None:
        self._transport = transport

    def send(self) -> None:
        """The next request, when it is due."""
        wait = self._clock.wait(self._sender, self._count)
        self._count += 1
        if wait:
            asyncio.get_running_loop().call_later(wait, self._send)
        else:
            self._send()

    def _send(self) -> None:
        request = None if self._clock.done() else next(self._requests, None)
        if request is None:
            self.over.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        place = lowered.find(b"\r\ncontent-length:")
        length = int(lowered[place + 17 :].partition(b"\r\n")[0]) if place >= 0 else 0
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 2"):
            self.over.set_exception(RuntimeError(self._held.decode(errors="replace")))
            self._transport.close()
            return
        self._held = b""
        self._clock.latencies.append(time.perf_counter() - self._sent)
        self.send()

    def connection_lost(self, error) -> None:
        if not self.over.done():
            self.over.set_exception(error or RuntimeError("the server closed a connection"))


async def http(address: str, work: dict, in_flight: int, seconds: float, rate: float) -> Clock:
    host, _, port = address.rpartition(":")
    requests = iter(work["requests"]) if work["once"] else cycle(work["requests"])
    loop = asyncio.get_running_loop()
    clock = Clock(0)
    connections = [
        (await loop.create_connection(partial(Connection, requests, clock, sender), host, int(port)))[1]
        for sender in range(in_flight)
    ]
    wait_for_go()
    clock = Clock(seconds, in_flight, rate)
    for connection in connections:
        connection._clock = clock
        connection.send()
    await asyncio.gather(*(connection.over for connection in connections))
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("unary", "stream", "http"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--address", required=True)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    work = pickle.loads(options.file.read_bytes())
    kind = {"unary": unary, "stream": stream, "http": http}[options.kind]
    print(uvloop.run(kind(options.address, work, options.in_flight, options.seconds, options.rate)).told())


if __name__ == "__main__":
    main()
