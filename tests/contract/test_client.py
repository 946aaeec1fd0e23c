"""The Python client against a real server: calls, runs, batches, watches; and a server that is away, killed or slow."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import grpc
import pytest

from support.server import Server, free_port
from tocsin.client import AsyncClient, Client, ClientError, Retry, cron, every, monitor, monitor_message
from tocsin.client.fields import monitor_name
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.monitor_pb2 import EnvironmentHealth

QUICK = Retry(total=0.4, attempt=0.4)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.grpc_address, server.admin_key) as made:
        yield made


@pytest.fixture
async def aclient(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.grpc_address, server.admin_key) as made:
        yield made


@pytest.fixture
def job(client: Client) -> str:
    """A monitor of the test's own."""
    name = f"job-{uuid.uuid4().hex[:12]}"
    client.put_monitor(name, schedule=every(1, "day"), margin=60)
    return name


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    return f"127.0.0.1:{free_port()}"


# -- calls


def test_a_run_from_start_to_end(client: Client, job: str) -> None:
    run = client.start(job, host="web-1")
    assert run.state == CheckIn.STATE_IN_PROGRESS
    ended = client.ok(job, run.uid, duration=1.5, exit_code=0, message="done", metrics={"rows": 3.0})
    assert ended.uid == run.uid
    read = client.get_check_in(job, run.uid)
    assert read == ended
    assert read.state == CheckIn.STATE_OK
    assert read.duration.ToMilliseconds() == 1500
    assert (read.host, read.message, read.metrics["rows"]) == ("web-1", "done", 3.0)
    assert read.HasField("exit_code")


def test_an_end_without_id_closes_the_newest_run(client: Client, job: str) -> None:
    run = client.start(job)
    assert client.error(job, message="no").uid == run.uid
    assert client.ok(job).uid != run.uid  # none was open: a check-in of its own


def test_a_repeated_report_counts_once(client: Client, job: str) -> None:
    name = uuid.uuid4()
    first = client.check_in(job, "ok", check_in_id=name)
    assert client.check_in(job, "ok", check_in_id=name) == first
    assert [found.uid for found in client.check_ins(job)] == [name.hex]


def test_heartbeats_notes_beats_and_resets(client: Client, job: str) -> None:
    run = client.start(job)
    assert client.check_in(job, "beat", check_in_id=run.uid).state == CheckIn.STATE_IN_PROGRESS
    assert client.heartbeat(job, message="alive").check_in != run.name
    assert client.check_in(job, "note", message="deployed").state == CheckIn.STATE_NOTE
    assert client.check_in(job, "reset").state == CheckIn.STATE_OK


def test_a_first_report_may_make_its_monitor(client: Client) -> None:
    name = f"made-{uuid.uuid4().hex[:12]}"
    client.start(name, schedule=cron("30 2 * * *", "Europe/Berlin"), margin=timedelta(minutes=5), environment="staging")
    made = client.get_monitor(name)
    assert made.schedules[0].time_zone == "Europe/Berlin"
    assert made.tolerance.margin.seconds == 300
    assert [health.environment for health in made.environments] == ["staging"]


def test_monitors_are_put_read_listed_silenced_and_deleted(client: Client) -> None:
    team = uuid.uuid4().hex[:12]
    for number in range(5):
        client.put_monitor(f"{team}-{number}", schedule=every(1, "hour"), labels={"team": team})
    assert client.put_monitor(f"{team}-0", margin=5).schedules  # the rest stays
    found = [each.name.rpartition("/")[2] for each in client.monitors(filter=f"labels.team = {team}", page_size=2)]
    assert found == [f"{team}-{number}" for number in range(5)]
    assert client.pause(f"{team}-0", 3600).paused
    assert not client.resume(f"{team}-0").paused
    assert client.mute(f"{team}-0").muted
    assert not client.unmute(f"{team}-0").muted
    client.delete_monitor(f"{team}-0")
    client.delete_monitor(f"{team}-0", allow_missing=True)
    with pytest.raises(ClientError) as caught:
        client.get_monitor(f"{team}-0")
    assert caught.value.reason == "MONITOR_NOT_FOUND"


def test_many_monitors_are_put_all_or_none(client: Client) -> None:
    team = uuid.uuid4().hex[:12]
    good = [monitor_message({"schedule": "@daily"}, monitor_name(f"{team}-{number}")) for number in range(3)]
    bad = monitor_message({"schedule": "61 * * * *"}, monitor_name(f"{team}-bad"))
    with pytest.raises(ClientError) as caught:
        client.put_monitors([*good, bad])
    assert caught.value.violations[0].field == "requests[3].monitor.schedules[0].cron.expression"
    assert not list(client.monitors(filter=f"id = {team}*"))
    assert len(client.put_monitors(good).monitors) == 3


def test_a_stale_etag_is_refused(client: Client, job: str) -> None:
    before = client.get_monitor(job).etag
    client.put_monitor(job, display_name="new", etag=before)
    with pytest.raises(ClientError) as caught:
        client.put_monitor(job, display_name="newer", etag=before)
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


def test_check_ins_are_iterated_page_by_page(client: Client, job: str) -> None:
    with client.batch() as batch:
        futures = [batch.heartbeat(job) for _ in range(25)]
    sent = [future.result().uid for future in futures]
    assert [found.uid for found in client.check_ins(job, page_size=7)] == sent[::-1]
    assert [found.uid for found in islice(client.check_ins(job, page_size=2), 3)] == sent[:-4:-1]
    assert not list(client.check_ins(job, states=["error", "missed"]))
    assert not list(client.check_ins(job, until=datetime.now(UTC) - timedelta(hours=1)))


def test_an_incident_is_found_and_resolved_by_hand(client: Client, job: str) -> None:
    begun = datetime.now(UTC)
    client.put_monitor(job, tags=["db"])
    client.error(job)
    (incident,) = client.incidents(
        filter=f"monitor = {job} AND tags:db AND state = open", since=begun - timedelta(days=1)
    )
    assert list(client.incidents(filter=f"monitor = {job}", until=begun - timedelta(days=1))) == []
    resolved = client.resolve(incident.name, by="me", note="by hand")
    assert (resolved.resolved_by, resolved.note) == ("me", "by hand")
    assert resolved.HasField("resolve_time")
    with pytest.raises(ClientError) as caught:
        client.resolve(incident.name)
    assert caught.value.reason == "INCIDENT_RESOLVED"
    (health,) = client.get_monitor(job).environments
    assert (health.healthy, health.incident, health.consecutive_failure_count) == (True, "", 0)
    client.error(job)
    assert [row.name != incident.name for row in client.incidents(job, open_only=True)] == [True]


def test_incidents_are_read_and_acknowledged(client: Client, job: str) -> None:
    failed = client.error(job)
    (incident,) = client.incidents(job, open_only=True)
    assert incident.first_check_in == failed.name
    taken = client.acknowledge(incident.name.rpartition("/")[2], by="me", note="on it")
    assert (taken.acknowledged_by, taken.note) == ("me", "on it")
    client.ok(job)
    assert client.get_incident(incident.name).HasField("resolve_time")
    with pytest.raises(ClientError) as caught:
        client.acknowledge(incident.name)
    assert caught.value.reason == "INCIDENT_RESOLVED"


def test_a_schedule_is_tried_without_storing_it(client: Client) -> None:
    found = client.preview("0 12 * * *", time_zone="UTC", count=3)
    times = [time.ToDatetime().hour for time in found.fire_times]
    assert times == [12, 12, 12]
    assert found.descriptions


def test_refusals_and_outages_are_iterated(client: Client) -> None:
    with client.batch() as batch:
        batch.heartbeat("no-such-monitor-here")
    assert [found.monitor for found in client.refusals("no-such-monitor-here")]
    assert isinstance(list(client.outages(show_short=True)), list)


def test_errors_say_what_and_where(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client.put_monitor("a", schedule="61 * * * *")
    error = caught.value
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SCHEDULE_INVALID")
    assert error.violations[0].field == "monitor.schedules[0].cron.expression"
    assert error.metadata["position"] == "1"


def test_a_missing_key_is_told_by_the_server(server: Server) -> None:
    with Client(server.grpc_address, "") as client, pytest.raises(ClientError) as caught:
        client.get_monitor("a")
    assert caught.value.reason == "KEY_MISSING"


def test_the_environment_says_where(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_GRPC", server.grpc_address)
    monkeypatch.setenv("TOCSIN_KEY", server.admin_key)
    with Client() as client:
        assert next(client.monitors(), None) is None or True


# -- asyncio: the same calls


async def test_the_same_calls_awaited(aclient: AsyncClient) -> None:
    name = f"async-{uuid.uuid4().hex[:12]}"
    assert (await aclient.put_monitor(name, schedule=timedelta(hours=1))).schedules[0].interval.count == 3600
    runs = await asyncio.gather(*(aclient.start(name) for _ in range(20)))
    await asyncio.gather(*(aclient.ok(name, run.uid) for run in runs))
    found = {run.uid: run.state async for run in aclient.check_ins(name, page_size=6)}
    assert found == {run.uid: CheckIn.STATE_OK for run in runs}
    with pytest.raises(ClientError) as caught:
        await aclient.get_monitor("no-such")
    assert caught.value.reason == "MONITOR_NOT_FOUND"


def test_an_async_client_outlives_its_loop(server: Server) -> None:
    client = AsyncClient(server.grpc_address, server.admin_key)

    async def once() -> str:
        try:
            return (await client.put_monitor("loops", schedule="@daily")).uid
        finally:
            await client.close()

    assert asyncio.run(once()) == asyncio.run(once())


# -- a server that is away


def test_a_call_waits_for_a_server_that_starts(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.stop()
    key = server.admin_key
    with Client(server.grpc_address, key) as client:
        server.start(wait=False)
        assert client.put_monitor("late", schedule="@daily").uid
        assert client.ok("late").uid  # without an id


def test_a_call_that_cannot_be_repeated_waits_for_a_connection(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.create_monitor("late")
    server.stop()
    with Client(server.grpc_address, server.admin_key) as client:
        server.start(wait=False)
        assert client.ok("late").state == CheckIn.STATE_OK
        assert len(list(client.check_ins("late"))) == 1


def test_patience_has_an_end(nobody: str) -> None:
    with Client(nobody, "k", retry=QUICK) as client:
        for attempt in (lambda: client.get_monitor("a"), lambda: client.ok("a"), lambda: next(client.watch())):
            before = time.monotonic()
            with pytest.raises(ClientError) as caught:
                attempt()
            assert caught.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            assert time.monotonic() - before < 5


async def test_patience_has_an_end_for_tasks(nobody: str) -> None:
    async with AsyncClient(nobody, "k") as client:
        quick = client.with_retry(QUICK)
        with pytest.raises(ClientError):
            await quick.get_monitor("a")
        with pytest.raises(ClientError):
            await anext(quick.watch())


def test_a_server_that_hangs_is_left_at_the_deadline(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    key = server.admin_key
    with Client(server.grpc_address, key) as client:
        client.put_monitor("hung", schedule="@daily")
        server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(ClientError) as caught:
                client.with_retry(QUICK).heartbeat("hung")
            assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
        finally:
            server.signal(signal.SIGCONT)
        assert client.heartbeat("hung").check_in


def test_closing_ends_what_waits(nobody: str) -> None:
    client = Client(nobody, "k", retry=Retry(total=600, first=300, most=300))
    ended: list[BaseException] = []

    def call() -> None:
        try:
            client.get_monitor("a")
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    client.close()
    thread.join(30)
    assert not thread.is_alive()
    assert len(ended) == 1


# -- monitor(): runs of jobs


def test_a_decorated_function_is_a_run(client: Client) -> None:
    name = f"decorated-{uuid.uuid4().hex[:12]}"

    @client.monitor(name, schedule="@daily", max_runtime=60)
    def work(rows: int) -> int:
        """Works."""
        return rows * 2

    assert work(21) == 42
    assert (work.__name__, work.__doc__) == ("work", "Works.")
    (run,) = client.check_ins(name)
    assert run.state == CheckIn.STATE_OK
    assert run.HasField("start_time")
    assert run.HasField("duration")
    assert client.get_monitor(name).tolerance.max_runtime.seconds == 60


def test_a_job_that_fails_is_an_error_and_its_exception_passes(client: Client, job: str) -> None:
    @client.monitor(job)
    def work() -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        work()
    (run,) = client.check_ins(job)
    assert run.state == CheckIn.STATE_ERROR
    assert run.message == "ZeroDivisionError: by zero"


@pytest.mark.parametrize(
    ("code", "state", "exit_code"),
    [
        (0, CheckIn.STATE_OK, 0),
        (None, CheckIn.STATE_OK, 0),
        (3, CheckIn.STATE_ERROR, 3),
        ("no", CheckIn.STATE_ERROR, 1),
    ],
)
def test_a_job_that_exits(client: Client, job: str, code: object, state: int, exit_code: int) -> None:
    with pytest.raises(SystemExit), client.monitor(job):
        sys.exit(code)  # type: ignore[arg-type]
    (run,) = client.check_ins(job)
    assert (run.state, run.exit_code) == (state, exit_code)


def test_a_run_may_say_more(client: Client, job: str) -> None:
    with client.monitor(job, environment="staging") as run:
        run.message, run.metrics["rows"], run.exit_code = "half of it", 7, 2
        assert client.get_check_in(job, run.id).state == CheckIn.STATE_IN_PROGRESS
        run.beat()
        run.fail()
    read = client.get_check_in(job, run.id)
    assert (read.state, read.environment, read.exit_code) == (CheckIn.STATE_ERROR, "staging", 2)
    assert (read.message, read.metrics["rows"]) == ("half of it", 7)


def test_threads_close_their_own_runs(client: Client, job: str) -> None:
    """One object, two threads inside it at once, the first in is the first out, and it fails."""
    shared = client.monitor(job)
    second_is_in, first_is_out = threading.Event(), threading.Event()
    ids: dict[str, str] = {}

    def first() -> None:
        with pytest.raises(RuntimeError), shared as run:
            ids["first"] = run.id
            opened.set()
            second_is_in.wait(30)
            raise RuntimeError("first")
        first_is_out.set()

    def second() -> None:
        opened.wait(30)
        with shared as run:
            ids["second"] = run.id
            second_is_in.set()
            first_is_out.wait(30)

    opened = threading.Event()
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = {run.uid: run.state for run in client.check_ins(job)}
    assert states == {ids["first"]: CheckIn.STATE_ERROR, ids["second"]: CheckIn.STATE_OK}


def test_many_threads_through_one_decorator(client: Client, job: str) -> None:
    barrier = threading.Barrier(8)

    @client.monitor(job)
    def work(number: int) -> None:
        barrier.wait(30)
        if number % 2:
            raise RuntimeError

    def run(number: int) -> None:
        with contextlib.suppress(RuntimeError):
            work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [found.state for found in client.check_ins(job)]
    assert sorted(states) == [CheckIn.STATE_OK] * 4 + [CheckIn.STATE_ERROR] * 4


def test_one_inside_the_other(client: Client, job: str) -> None:
    shared = client.monitor(job)
    with shared as outer:
        with pytest.raises(KeyError), shared as inner:
            raise KeyError("inner")
        assert client.get_check_in(job, outer.id).state == CheckIn.STATE_IN_PROGRESS
    assert client.get_check_in(job, inner.id).state == CheckIn.STATE_ERROR
    assert client.get_check_in(job, outer.id).state == CheckIn.STATE_OK


async def test_coroutine_functions(aclient: AsyncClient, client: Client, job: str) -> None:
    @aclient.monitor(job)
    async def work(fails: bool) -> str:
        await asyncio.sleep(0)
        if fails:
            raise RuntimeError("as asked")
        return "done"

    results = await asyncio.gather(*(work(fails) for fails in (True, False) * 5), return_exceptions=True)
    assert results[1::2] == ["done"] * 5

    @client.monitor(job)  # the sync client, beside the loop
    async def more() -> int:
        return 1

    assert await more() == 1
    states = [run.state async for run in aclient.check_ins(job)]
    assert sorted(states) == [CheckIn.STATE_OK] * 6 + [CheckIn.STATE_ERROR] * 5


async def test_async_with_in_many_tasks(aclient: AsyncClient, job: str) -> None:
    shared = aclient.monitor(job)
    everybody_is_in = asyncio.Barrier(6)

    async def work(number: int) -> tuple[str, bool]:
        try:
            async with shared as run:
                await everybody_is_in.wait()
                await run.beat()
                if number % 3 == 0:
                    raise RuntimeError  # noqa: TRY301 - the job's own
        except RuntimeError:
            return run.id, False
        return run.id, True

    outcomes = dict(await asyncio.gather(*(work(number) for number in range(6))))
    states = {run.uid: run.state == CheckIn.STATE_OK async for run in aclient.check_ins(job)}
    assert states == outcomes


async def test_a_cancelled_job_is_an_error(aclient: AsyncClient, job: str) -> None:
    inside = asyncio.Event()

    @aclient.monitor(job)
    async def work() -> None:
        inside.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (run,) = [run async for run in aclient.check_ins(job)]
    assert run.state == CheckIn.STATE_ERROR
    assert run.message == "asyncio.exceptions.CancelledError"


async def test_what_cannot_be_decorated(client: Client, aclient: AsyncClient) -> None:
    def generator() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        client.monitor("a")(generator)
    with pytest.raises(TypeError, match="no coroutine function"):
        aclient.monitor("a")(generator)  # type: ignore[arg-type]


def test_a_server_that_is_away_never_fails_a_job(
    nobody: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TOCSIN_GRPC", nobody)
    monkeypatch.delenv("TOCSIN_KEY", raising=False)
    with Client() as client:

        @monitor("away", client=client, schedule="@daily", patience=0.2)
        def work() -> str:
            return "done"

        with caplog.at_level(logging.WARNING, "tocsin.client"):
            assert work() == "done"
            with pytest.raises(LookupError), monitor("away", client=client, patience=0.2):
                raise LookupError
    assert [record.name for record in caplog.records] == ["tocsin.client"] * 4
    assert "the start of run" in caplog.messages[0]
    assert "was not reported" in caplog.messages[1]


async def test_a_server_that_is_away_never_fails_a_coroutine(nobody: str, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncClient(nobody, "k") as client:

        @client.monitor("away", patience=0.2)
        async def work() -> str:
            return "done"

        assert await work() == "done"
    assert len(caplog.records) == 2


def test_a_refused_run_never_fails_a_job(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with client.monitor("nobody-made-this-one"):
        pass
    assert "MONITOR_NOT_FOUND" in caplog.text


def test_a_run_whose_start_was_lost_is_told_by_its_end(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.stop()
    before = datetime.now(UTC)
    with Client(server.grpc_address, server.admin_key) as client:
        with client.monitor("late", schedule="@daily", patience=30) as run:
            server.start()
        (read,) = client.check_ins("late")
    assert (read.uid, read.state) == (run.id, CheckIn.STATE_OK)
    began, ended = read.start_time.ToDatetime(UTC), read.end_time.ToDatetime(UTC)
    assert before - timedelta(seconds=0.01) <= began <= ended
    assert abs((ended - began) - read.duration.ToTimedelta()) < timedelta(seconds=0.05)


def test_the_client_of_the_environment(server: Server, client: Client, job: str) -> None:
    program = f"""
        from tocsin.client import default_client, monitor

        @monitor({job!r})
        def work():
            print("worked")

        work()
        default_client().close()
    """
    environment = {"TOCSIN_GRPC": server.grpc_address, "TOCSIN_KEY": server.ingest_key}
    assert _python(program, environment) == "worked\n"
    (run,) = client.check_ins(job)
    assert run.state == CheckIn.STATE_OK


# -- batches


def test_threads_share_a_batch(client: Client, server: Server, job: str) -> None:
    with client.batch(size=100) as batch:

        def send() -> None:
            for _ in range(250):
                batch.heartbeat(job)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        batch.flush(60)
        assert batch.waiting == 0
    assert batch.failed == 0
    assert len(list(client.check_ins(job))) == 1000


def test_each_report_has_its_own_answer(client: Client, job: str, caplog: pytest.LogCaptureFixture) -> None:
    with client.batch() as batch:
        good = batch.check_in(job, "error", message="bad run", duration=2)
        lost = batch.heartbeat("nobody-made-this-either")
        wrong = batch.check_in(job, "ok", check_in_id="no-uuid")
        started = batch.check_in(job, "in_progress", environment="staging")
    assert good.result().state == CheckIn.STATE_ERROR
    assert good.result().duration.seconds == 2
    assert started.result().environment == "staging"
    for future, reason in ((lost, "MONITOR_NOT_FOUND"), (wrong, "CHECK_IN_ID_INVALID")):
        error = future.exception()
        assert isinstance(error, ClientError)
        assert error.reason == reason
    assert batch.failed == 2
    assert "was not accepted" in caplog.text


def test_runs_may_begin_and_end_in_batches(client: Client, job: str) -> None:
    with client.batch() as batch:
        names = [uuid.uuid4() for _ in range(50)]
        for name in names:
            batch.check_in(job, "in_progress", check_in_id=name)
        for name in names:
            batch.check_in(job, "ok", check_in_id=name)
    assert {run.uid: run.state for run in client.check_ins(job)} == {name.hex: CheckIn.STATE_OK for name in names}


def test_a_full_queue_holds_up_whoever_adds(nobody: str) -> None:
    with Client(nobody, "k") as client:
        batch = client.batch(limit=3, size=2, linger=0, retry=Retry(total=600))
        from tocsin.client import report

        for _ in range(3):
            batch.add(report("a", "ok"))
        with pytest.raises(TimeoutError, match="full"):
            batch.add(report("a", "ok"), timeout=0.05)
        with pytest.raises(TimeoutError, match="3 reports"):
            batch.flush(timeout=0.05)
        client.close()
        batch.close(timeout=10)
        with pytest.raises(RuntimeError, match="closed"):
            batch.heartbeat("a")
        assert batch.waiting == 0
        assert batch.failed == 3


def test_a_batch_that_nobody_takes_fails_report_by_report(nobody: str) -> None:
    with Client(nobody, "k") as client:
        with client.batch(retry=QUICK) as batch:
            futures = [batch.heartbeat("a") for _ in range(3)]
        assert {future.exception().code for future in futures} <= {  # type: ignore[union-attr]
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        }


def test_a_report_may_be_taken_back_before_it_is_sent(client: Client, job: str) -> None:
    with client.batch(linger=600) as batch:
        kept, dropped = batch.heartbeat(job), batch.heartbeat(job)
        assert dropped.cancel()
    assert [run.uid for run in client.check_ins(job)] == [kept.result().uid]


def test_a_kill_in_the_middle_of_batches_loses_and_doubles_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.create_monitor("fleet")
    with Client(server.grpc_address, server.admin_key) as client:
        with client.batch(size=100, linger=0) as batch:
            futures = []
            for round_ in range(2):
                sent = [batch.heartbeat("fleet") for _ in range(1500)]
                sent[0].result(60)  # some are on disk, some on their way, most wait
                server.kill()
                server.start()
                futures += sent
                assert round_ == 1 or batch.waiting  # the kill came in the middle
        ids = [future.result(0).uid for future in futures]
    stored = [run["uid"] for run in server.check_ins("fleet")]
    assert sorted(stored) == sorted(ids)
    assert len(set(stored)) == 3000
    assert batch.failed == 0


async def test_a_kill_in_the_middle_of_batches_of_tasks(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.create_monitor("fleet")
    async with AsyncClient(server.grpc_address, server.admin_key) as client, client.batch(size=50, linger=0) as batch:
        futures = [await batch.heartbeat("fleet") for _ in range(2000)]
        await futures[0]
        server.kill()
        assert batch.waiting
        await asyncio.to_thread(server.start)
        await batch.flush()
        ids = [future.result().uid for future in futures]
    assert sorted(run["uid"] for run in server.check_ins("fleet")) == sorted(ids)


async def test_tasks_share_a_batch(aclient: AsyncClient, job: str) -> None:
    async with aclient.batch(limit=10, size=5) as batch:  # adding waits for room, many times

        async def send() -> list[str]:
            return [(await (await batch.check_in(job, "ok"))).uid for _ in range(10)]

        sent = await asyncio.gather(*(send() for _ in range(10)))
        lost = await batch.heartbeat("nobody-made-this-one-too")
    assert len({uid for some in sent for uid in some}) == 100
    assert isinstance(lost.exception(), ClientError)
    assert len([run async for run in aclient.check_ins(job)]) == 100
    with pytest.raises(RuntimeError, match="closed"):
        await batch.heartbeat(job)


def test_a_program_that_forgets_to_close_still_sends(server: Server, client: Client, job: str) -> None:
    program = f"""
        from tocsin.client import Client

        batch = Client().batch(linger=3600)
        for _ in range(10):
            batch.heartbeat({job!r})
    """
    _python(program, {"TOCSIN_GRPC": server.grpc_address, "TOCSIN_KEY": server.ingest_key})
    assert len(list(client.check_ins(job))) == 10


# -- watching


def test_a_watch_survives_a_restart_and_misses_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    server.create_monitor("a")
    with Client(server.grpc_address, server.admin_key) as client:
        seen = client.watch()
        assert next(seen).monitor.name.endswith("/a")
        assert next(seen).WhichOneof("event") is None
        server.kill()
        server.start()
        server.create_monitor("b")
        server.call("DELETE", server.monitor_path("a"))
        made = next(seen)
        assert made.monitor.name.endswith("/b")
        assert next(change for change in seen if change.deleted_monitor).deleted_monitor.endswith("/a")
        seen.close()
        # somebody else takes it up from the token
        again = client.watch(made.resume_token)
        assert next(change for change in again if change.deleted_monitor).deleted_monitor.endswith("/a")
        again.close()


async def test_a_watch_of_a_task_shows_health(aclient: AsyncClient, job: str) -> None:
    seen = aclient.watch()
    async for change in seen:
        if change.WhichOneof("event") is None:
            break
    await aclient.error(job)
    async for change in seen:
        if change.monitor.name.endswith(job) and change.monitor.environments:
            assert change.monitor.environments[0].state == EnvironmentHealth.STATE_ERROR
            break
    await seen.aclose()  # type: ignore[attr-defined]


def test_a_token_from_elsewhere_is_told(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        next(client.watch("nonsense"))
    assert caught.value.reason == "PAGE_TOKEN_INVALID"


# -- documents


def test_the_readme_runs(new_server: Callable[..., Server]) -> None:
    """On a server of its own: it decides for the whole project."""
    server = new_server()
    server.start()
    readme = Path(__file__).parents[2] / "src" / "tocsin" / "client" / "README.md"
    blocks = readme.read_text(encoding="utf-8").split("```python\n")[1:]
    assert len(blocks) >= 4
    program = "\n".join(block.partition("```")[0] for block in blocks)
    _python(program, {"TOCSIN_GRPC": server.grpc_address, "TOCSIN_KEY": server.admin_key})


def _python(program: str, environment: dict[str, str]) -> str:
    """What a program of its own prints. Warnings are errors there too."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
