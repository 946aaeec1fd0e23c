"""A program with an unmodified sentry-sdk that reports runs of a job: a process of its own, one of many at once.

    python sentry_client.py DSN --number K --of N

It prints "ready", and for each line "RATE SECONDS" on its standard input opens and closes runs of its own monitor for
so long, each check-in with its configuration, as the SDK's decorator does. One check-in is on its way at a time. With a
rate, of all N clients together, it sends at its own even times; with rate 0 when the last one has been acknowledged.
Then it prints one line of JSON: the latency of each request in milliseconds, how many answers were no success, and how
long it took. An empty line, or the end of the input, ends it.

What is timed is the transport's `_request`, that is the HTTP request by urllib3 until its answer, in the SDK's own
thread; the class is handed in by the option `transport` and adds a clock and nothing else.
"""

import argparse
import json
import sys
import threading
import time

import sentry_sdk
from sentry_sdk.crons import capture_checkin
from sentry_sdk.transport import HttpTransport

CONFIG = {"schedule": {"type": "crontab", "value": "*/10 * * * *"}, "checkin_margin": 5, "max_runtime": 30}


class Timed(HttpTransport):
    latencies: list[float] = []  # noqa: RUF012 - the process has one transport
    refused = 0
    answered = threading.Event()

    def _request(self, *arguments, **named):
        begin = time.perf_counter()
        try:
            answer = super()._request(*arguments, **named)
            Timed.latencies.append((time.perf_counter() - begin) * 1000)
            Timed.refused += not 200 <= answer.status < 300
            return answer
        finally:
            Timed.answered.set()


def send(**fields: object) -> str:
    Timed.answered.clear()
    made = capture_checkin(monitor_config=dict(CONFIG), **fields)
    Timed.answered.wait(30)
    return made


def one_round(slug: str, number: int, of: int, rate: float, seconds: float) -> None:
    Timed.latencies.clear()
    Timed.refused = 0
    begin = time.perf_counter()
    apart = of / rate if rate else 0.0
    due = begin + (number / rate if rate else 0.0)
    identifier = ""
    while identifier or time.perf_counter() < begin + seconds:
        if apart:
            time.sleep(max(0.0, due - time.perf_counter()))
            due += apart
        if identifier:
            send(monitor_slug=slug, status="ok", check_in_id=identifier, duration=0.001)
            identifier = ""
        else:
            identifier = send(monitor_slug=slug, status="in_progress")
    spent = time.perf_counter() - begin
    print(json.dumps({"latencies": Timed.latencies, "refused": Timed.refused, "seconds": spent}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dsn")
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    options = parser.parse_args()
    sentry_sdk.init(options.dsn, transport=Timed, release="bench@1.0", environment="production")
    slug = f"sdk-{options.number}"
    send(monitor_slug=slug, status="ok")  # makes the monitor and the connection
    print("ready", flush=True)
    for line in sys.stdin:
        if not line.strip():
            return
        rate, seconds = map(float, line.split())
        one_round(slug, options.number, options.of, rate, seconds)


if __name__ == "__main__":
    main()
