"""Maintenance windows over every door of a running server, from its settings too, and still after a restart."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.server import Server
from tocsin.client import Client, ClientError
from tocsin.client.schedules import daily, every

WINDOWS = "/v1/projects/-/maintenanceWindows"


def test_over_rest(server: Server) -> None:
    name = f"w-{uuid.uuid4().hex[:8]}"
    body = {"startTime": "2026-12-24T18:00:00Z", "endTime": "2026-12-26T06:00:00Z", "monitors": ["nightly-*"]}
    made = server.call("POST", f"{WINDOWS}?maintenanceWindowId={name}", body)
    assert made["name"] == f"projects/{server.project_id}/maintenanceWindows/{name}"
    assert server.get(f"{WINDOWS}/{name}") == made
    assert (made["pause"], made["silenceAll"], made["silenceTags"]) == (True, False, [])
    silent = server.call("PATCH", f"{WINDOWS}/{name}", {"pause": False, "silenceTags": ["db"]})
    assert (silent["pause"], silent["silenceTags"], silent["monitors"]) == (False, ["db"], ["nightly-*"])
    assert server.call("PATCH", f"{WINDOWS}/{name}?updateMask=pause,silenceTags", {})["pause"]
    changed = server.call("PATCH", f"{WINDOWS}/{name}?updateMask=monitors,displayName", {"displayName": "Holidays"})
    assert changed["displayName"] == "Holidays"
    assert changed["monitors"] == []
    assert changed["endTime"] == body["endTime"]
    assert name in [
        row["name"].rpartition("/")[2] for row in server.get(f"{WINDOWS}?pageSize=1000")["maintenanceWindows"]
    ]
    status, answer = server.request("POST", f"{WINDOWS}?maintenanceWindowId={name}", body)[:2]
    assert status == 409, answer
    server.call("DELETE", f"{WINDOWS}/{name}")
    assert server.request("GET", f"{WINDOWS}/{name}")[0] == 404
    assert server.request("DELETE", f"{WINDOWS}/{name}")[0] == 404
    server.call("DELETE", f"{WINDOWS}/{name}?allowMissing=true")


def test_the_client(server: Server) -> None:
    name = f"w-{uuid.uuid4().hex[:8]}"
    now = datetime.now(UTC)
    with Client(server.grpc_address, server.admin_key) as client:
        made = client.put_maintenance_window(
            name, recurrence="0 22 * * TUE", time_zone="Europe/Vienna", duration=7200, environments=["prod*"]
        )
        assert (made.recurrence.cron.expression, made.duration.seconds) == ("0 22 * * TUE", 7200)
        filed = client.put_maintenance_window(name, recurrence=daily("02:00"), duration=60, groups=["A b"], tags=["db"])
        assert (list(filed.groups), list(filed.tags)) == (["A b"], ["db"])
        with pytest.raises(ClientError, match=r"maintenance_window\.groups\[0\]"):
            client.put_maintenance_window(name, recurrence=daily("02:00"), duration=60, groups=["a/b"])
        assert (filed.pause, filed.silence_all, list(filed.silence_tags)) == (True, False, [])
        silent = client.put_maintenance_window(
            name, start=now, end=now + timedelta(hours=1), pause=False, silence_all=True, silence_tags=["db"]
        )
        assert (silent.pause, silent.silence_all, list(silent.silence_tags)) == (False, True, ["db"])
        assert client.get_maintenance_window(name) == silent
        with pytest.raises(ClientError, match=r"maintenance_window\.silence_tags\[0\]"):
            client.put_maintenance_window(name, start=now, end=now + timedelta(hours=1), silence_tags=[""])
        once = client.put_maintenance_window(name, start=now, end=now + timedelta(hours=1))
        assert not once.HasField("recurrence")
        assert list(once.environments) == []
        assert client.get_maintenance_window(name) == once
        assert name in [row.name.rpartition("/")[2] for row in client.maintenance_windows(page_size=1)]
        with pytest.raises(ClientError, match=r"maintenance_window\.end_time"):
            client.put_maintenance_window(name, start=now, end=now)
        with pytest.raises(ClientError, match=r"maintenance_window\.recurrence.*time"):
            client.put_maintenance_window(name, recurrence=daily("25:00"), duration=60)
        with pytest.raises(ClientError, match=r"maintenance_window\.name"):
            client.put_maintenance_window("Not good", start=now, end=now + timedelta(hours=1))
        client.delete_maintenance_window(name)
    with Client(server.grpc_address, server.ingest_key) as client, pytest.raises(ClientError, match="scope"):
        list(client.maintenance_windows())


SETTINGS = """
[[maintenance]]
name = "for ever"
start = 2020-01-01T00:00:00+01:00
end = 2120-01-01T00:00:00Z
monitors = ["quiet-*"]

[[maintenance]]
daily = ["02:00"]
time_zone = "Europe/Vienna"
minutes = 90
"""


def test_windows_of_the_settings_hold(tmp_path: Path) -> None:
    config = tmp_path / "tocsin.toml"
    config.write_text(SETTINGS)
    server = Server(tmp_path, arguments=("--config", str(config)))
    server.start()
    try:
        with Client(server.grpc_address, server.admin_key) as client:
            for name in ("quiet-1", "loud-1", "loud-2"):  # the second of them is due after the first was missed
                client.put_monitor(name, schedule=every(1, "second"), margin=0, expect_from="creation")
                if name.startswith("loud"):
                    seen = (event.monitor for event in client.watch())
                    next(one for one in seen if one.name.endswith(name) and any(e.incident for e in one.environments))
            assert server.check_ins("quiet-1") == []
            assert len(server.check_ins("loud-1")) > 0
    finally:
        server.close()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("start = 2026-01-01T00:00:00\nend = 2026-01-02T00:00:00Z", "maintenance[0].start"),
        ("start = 2026-01-01T00:00:00Z", "maintenance[0].end"),
        ("start = 2026-01-02T00:00:00Z\nend = 2026-01-01T00:00:00Z", "maintenance[0].end"),
        ('cron = "0 1 * * *"', "maintenance[0].minutes"),
        ('cron = "0 99 * * *"\nminutes = 5', "maintenance[0].cron"),
        ('cron = "0 1 * * *"\ndaily = ["02:00"]\nminutes = 5', "maintenance[0]"),
        ('daily = ["02:00"]\ntime_zone = "Nowhere/Land"\nminutes = 5', "maintenance[0]"),
        ('colour = "red"', "colour"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, table: str, said: str) -> None:
    config = tmp_path / "tocsin.toml"
    config.write_text(f"[[maintenance]]\n{table}\n")
    command = [sys.executable, "-m", "tocsin", "serve", "--data", str(tmp_path / "data"), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
