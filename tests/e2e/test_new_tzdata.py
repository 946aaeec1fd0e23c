"""A new time zone database under a running server: slots follow, nothing is missed, a kill changes nothing."""

import datetime
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.server import Server
from support.tzif import tzif


def write(folder: Path, version: str, hours_east: int) -> None:
    """As a package manager does: a new file takes the place of the old one."""
    files = {
        "UTC": tzif("UTC0"),
        "+VERSION": f"{version}\n".encode(),
        "Europe/Vienna": tzif(f"<+{hours_east:02}>-{hours_east}", first=hours_east * 3600),
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(data)
        new.replace(path)


def until(said: Callable[[], Any], wanted: Any) -> None:
    """Polls a condition that an operator would poll."""
    deadline = time.monotonic() + 30
    while (found := said()) != wanted:
        assert time.monotonic() < deadline, f"{found} and not {wanted}"
        time.sleep(0.05)


def test_slots_follow_a_new_database_without_a_restart(tmp_path: Path, new_server: Callable[..., Server]) -> None:
    folder = tmp_path / "zones"
    write(folder, "2026a", 1)
    server = new_server(environment={"PYTHONTZPATH": str(folder)})
    server.start()
    now = datetime.datetime.now(datetime.UTC)
    hour = (now + datetime.timedelta(hours=12)).hour  # UTC; far from now under either rule
    names = [f"job-{number}" for number in range(20)]
    for name in names:
        server.create_monitor(
            name,
            schedules=[{"cron": {"expression": f"0 {(hour + 1) % 24} * * *"}, "timeZone": "Europe/Vienna"}],
            expectFrom="EXPECT_FROM_CREATION",
        )

    def slots() -> set[int]:
        """Hours UTC of the expected times."""
        found = [server.get(server.monitor_path(name))["environments"][0]["expectedTime"] for name in names]
        return {datetime.datetime.fromisoformat(text).hour for text in found}

    assert slots() == {hour}
    assert server.get("/readyz")["tzdata"] == "2026a"

    write(folder, "2026b", 2)
    server.signal(signal.SIGHUP)
    until(lambda: server.get("/readyz")["tzdata"], "2026b")
    until(slots, {(hour - 1) % 24})
    assert server.metric('tocsin_tzdata_info{version="2026b"}') == 1
    assert "time zones changed" in server.log.read_text()

    server.kill()
    server.start()
    assert slots() == {(hour - 1) % 24}

    server.kill()
    write(folder, "2026c", 1)  # while nobody runs
    server.start()
    assert slots() == {hour}
    assert server.get("/readyz")["tzdata"] == "2026c"
    assert not server.get(f"/v1/projects/{server.project_id}/incidents").get("incidents")
    assert server.stop() == 0


def test_a_zone_that_vanished_stops_no_start_and_is_waited_for_again(
    tmp_path: Path, new_server: Callable[..., Server]
) -> None:
    folder = tmp_path / "zones"
    write(folder, "2026a", 1)
    city = folder / "Test" / "City"  # the package has no such zone
    city.parent.mkdir()
    city.write_bytes(tzif("<+01>-1", first=3600))
    server = new_server(environment={"PYTHONTZPATH": str(folder)})
    server.start()
    server.create_monitor(
        "job",
        schedules=[{"cron": {"expression": "0 0 1 1 *"}, "timeZone": "Test/City"}],
        expectFrom="EXPECT_FROM_CREATION",
    )

    def waiting() -> bool:
        return "expectedTime" in server.get(server.monitor_path("job"))["environments"][0]

    assert waiting()
    assert server.stop() == 0
    city.unlink()
    server.start()
    assert not waiting()
    assert "a time zone cannot be read" in server.log.read_text()

    city.write_bytes(tzif("<+01>-1", first=3600))
    server.signal(signal.SIGHUP)
    until(waiting, True)
    assert server.stop() == 0
