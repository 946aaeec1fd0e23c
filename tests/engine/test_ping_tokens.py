"""No two monitors have the same ping token, whatever comes in one batch or in one request."""

import pytest

from support.engines import World
from tocsin.domain import errors
from tocsin.domain.commands import DeleteMonitor, PutMonitor, PutMonitors
from tocsin.domain.monitor import MonitorChange

TOKEN, OTHER = "a" * 32, "b" * 32


def _put(monitor_id: str, token: str | None = None, project: int = 1, **fields: object) -> PutMonitor:
    change = MonitorChange(display_name=monitor_id) if token is None else MonitorChange(ping_token=token)
    return PutMonitor(project, monitor_id, change, **fields)  # type: ignore[arg-type]


def _tokens(world: World) -> dict[tuple[int, str], str]:
    return {(one.project, one.id): one.ping_token for one, _ in world.kept.monitors.values()}


def _is_taken(error: errors.TocsinError | None) -> bool:
    return isinstance(error, errors.AlreadyExists) and error.reason == "PING_TOKEN_TAKEN"


@pytest.mark.parametrize("project", [1, 2])
@pytest.mark.parametrize("together", [False, True])
def test_a_token_is_taken_on_the_whole_server(project: int, *, together: bool) -> None:
    world = World()
    commands = [(1, _put("first", TOKEN)), (2, _put("second", TOKEN, project))]
    if together:
        receipts = world.together(*((str(at), command) for at, command in commands))
    else:
        receipts = [world.step(str(at), command) for at, command in commands]
    assert receipts[0].error is None
    assert _is_taken(receipts[1].error)
    assert _tokens(world) == {(1, "first"): TOKEN}


def test_a_token_is_taken_within_one_request() -> None:
    world = World()
    receipt = world.step("1", PutMonitors((_put("first", TOKEN), _put("second", TOKEN))))
    assert _is_taken(receipt.error)
    assert not world.kept.monitors


def test_who_has_a_token_keeps_it() -> None:
    world = World()
    world.step("1", _put("job", TOKEN))
    assert world.step("2", _put("job", TOKEN)).error is None
    assert world.step("3", _put("job")).monitors[0].ping_token == TOKEN
    world.restart()
    assert world.step("4", _put("job", TOKEN)).error is None
    assert _is_taken(world.step("5", _put("other", TOKEN)).error)


@pytest.mark.parametrize("together", [False, True])
def test_a_token_that_was_given_up_is_free(*, together: bool) -> None:
    world = World()
    world.step("1", _put("first", TOKEN))
    commands = (("2", _put("first", OTHER)), ("3", _put("second", TOKEN)))
    receipts = world.together(*commands) if together else [world.step(*command) for command in commands]
    assert [receipt.error for receipt in receipts] == [None, None]
    assert _tokens(world) == {(1, "first"): OTHER, (1, "second"): TOKEN}


@pytest.mark.parametrize("together", [False, True])
def test_the_token_of_a_deleted_monitor_is_free(*, together: bool) -> None:
    world = World()
    world.step("1", _put("first", TOKEN))
    commands = (("2", DeleteMonitor(1, "first")), ("3", _put("second", TOKEN)))
    receipts = world.together(*commands) if together else [world.step(*command) for command in commands]
    assert [receipt.error for receipt in receipts] == [None, None]


def test_a_token_moves_within_one_request() -> None:
    world = World()
    world.step("1", _put("first", TOKEN))
    assert world.step("2", PutMonitors((_put("first", ""), _put("second", TOKEN)))).error is None
    assert _tokens(world) == {(1, "first"): "", (1, "second"): TOKEN}
    assert world.delta.released_tokens == {TOKEN}


def test_what_is_only_asked_about_takes_no_token() -> None:
    world = World()
    world.step("1", _put("first", TOKEN))
    assert _is_taken(world.step("2", _put("second", TOKEN, validate_only=True)).error)
    assert world.step("3", _put("second", OTHER, validate_only=True)).error is None
    assert world.step("4", _put("third", OTHER)).error is None


def test_any_number_of_monitors_has_no_token() -> None:
    world = World()
    assert world.step("1", PutMonitors((_put("first", ""), _put("second", "")))).error is None
