"""Projects, keys and settings, written by two processes."""

import pytest

from support.stores import NOW, commit, delta, monitor, run, with_monitors
from tocsin.domain import errors
from tocsin.domain.group import Filed
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.project import Scope, digest_of, new_key
from tocsin.engine.memory import Needs


def test_projects_get_numbers_from_one_and_slugs_of_their_own(store):
    made = [
        store.create_project(name, NOW)
        for name in ("Night jobs", "night  JOBS!", "", "日本", "deploy", "007", "x" * 100)
    ]
    assert [project.number for project in made] == [1, 2, 3, 4, 5, 6, 7]
    assert [project.slug for project in made][:6] == [
        "night-jobs",
        "night-jobs-2",
        "project",
        "project-2",
        "project-deploy",
        "project-007",
    ]
    assert store.create_project("Other", NOW, slug="mine").slug == "mine"
    assert store.list_projects()[:7] == made
    assert len({project.account_id for project in store.list_projects()}) == 8
    with pytest.raises(errors.AlreadyExists):
        store.create_project("Other", NOW, slug="mine")
    for bad in ("deploy", "12", "Über", "a b", "x" * 65):
        with pytest.raises(errors.InvalidArgument):
            store.create_project("Other", NOW, slug=bad)


def test_keys_live_until_they_are_revoked(store):
    project = store.create_project("p", NOW)
    text = new_key()
    key = store.create_key(project.number, Scope.INGEST, digest_of(text), text[-4:], NOW)
    assert store.list_keys() == store.list_keys(project.number) == [key]
    assert store.list_keys(99) == []
    with pytest.raises(errors.AlreadyExists):
        store.create_key(project.number, Scope.ADMIN, digest_of(text), text[-4:], NOW)
    with pytest.raises(errors.NotFound):
        store.create_key(99, Scope.ADMIN, digest_of("x"), "x", NOW)
    assert store.revoke_key(key.number, NOW + 1)
    assert not store.revoke_key(key.number, NOW + 2)
    assert not store.revoke_key(99, NOW)
    assert store.list_keys()[0].revoke_time == NOW + 1


def test_settings_are_kept(store):
    assert store.get_setting("public_url") is None
    store.put_setting("public_url", "http://a")
    store.put_setting("public_url", "http://b")
    assert store.get_setting("public_url") == "http://b"


OTHER_PROCESS = """
import sys
from tocsin.store import SqlStore
from tocsin.domain.project import Scope, digest_of
store = SqlStore(sys.argv[1])
project = store.create_project("from elsewhere", 1)
key = store.create_key(project.number, Scope.READ, digest_of("k"), "k", 1)
store.revoke_key(key.number, 2)
print(store.credentials_revision())
store.close()
"""


def test_another_process_may_write_beside_the_server(store):
    with_monitors(store, monitor(1))
    assert store.credentials_revision() == 0
    assert run(OTHER_PROCESS, store.database.url) == "3"
    assert store.credentials_revision() == 3
    assert [project.name for project in store.list_projects()] == ["from elsewhere"]
    assert store.list_keys()[0].revoke_time == 2
    commit(store, delta(monitor(2)))  # it did not take the partition away
    with pytest.raises(errors.NotFound):
        store.create_key(7, Scope.READ, b"x", "x", NOW)
    assert store.credentials_revision() == 3


def test_what_a_project_decides_is_kept_and_told_to_whoever_polls(store):
    from tocsin.domain.project_settings import ProjectSettings

    own = ProjectSettings(margin_ms=5, strict=False, denied_monitors=("tmp-*",))
    first, second = store.create_project("a", NOW), store.create_project("b", NOW)
    with_monitors(store, monitor(1))
    revision = store.credentials_revision()
    commit(store, delta(project_settings={second.number: own}))
    assert store.credentials_revision() > revision
    assert [project.settings for project in store.list_projects()] == [ProjectSettings(), own]
    assert store.load().project_settings == {second.number: own}
    commit(store, delta(project_settings={second.number: ProjectSettings()}))
    assert store.load().project_settings == {}
    assert first.settings == ProjectSettings()


def test_maintenance_windows(store):
    from tocsin.domain.schedule import Cron

    once = MaintenanceWindow(1, 1, "once", start_time=1, end_time=2, monitors=("a*",), create_time=3, update_time=4)
    often = MaintenanceWindow(2, 1, "a", recurrence=Cron("0 1 * * *", "Europe/Vienna"), duration_ms=5, display_name="A")
    other = MaintenanceWindow(3, 2, "a", start_time=1, end_time=2, environments=("x",))
    with_monitors(store, monitor(1))
    commit(store, delta(windows={1: once, 2: often, 3: other}))
    assert store.load().windows == [once, often, other]
    assert store.get_window(1, "a") == often
    assert store.get_window(1, "b") is None
    assert store.get_window(3, "a") is None
    first = store.list_windows(1, size=1)
    assert (first.rows, store.list_windows(1, size=1, token=first.next_token).rows) == ([often], [once])
    with pytest.raises(errors.InvalidArgument):
        store.list_windows(2, size=1, token=first.next_token)
    again = MaintenanceWindow(4, 1, "a", start_time=7, end_time=8)
    commit(store, delta(deleted_windows={2}, windows={4: again}))
    assert store.list_windows(1, size=9).rows == [again, once]
    assert store.recall(Needs(monitor_ids={1, 5})).monitor_ids == {1: {1: "m-1"}, 5: {}}
    assert store.recall(Needs(named={1, 99})).named == {1: (1, "m-1")}


def test_what_monitors_are_put_together_by_comes_with_windows_that_ask(store):
    filed = {1: Filed("night"), 2: Filed("", ("a", "b"))}
    with_monitors(store, monitor(1, group="night"), monitor(2, tags=("a", "b")), monitor(3), monitor(4, project=2))
    plain = MaintenanceWindow(1, 1, "plain", start_time=1, end_time=2)
    asks = MaintenanceWindow(2, 1, "asks", start_time=1, end_time=2, groups=("night",), tags=("x",))
    commit(store, delta(windows={1: plain}))
    assert store.load().filed == {}
    commit(store, delta(windows={2: asks}))
    snapshot = store.load()
    assert snapshot.windows == [plain, asks]
    assert snapshot.filed == {1: filed}
    assert store.recall(Needs(filed={1, 2})).filed == {1: filed, 2: {}}
