"""When the client sends again: never beyond its time, never sooner than asked, never what could count twice."""

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from tocsin.client.errors import ClientError
from tocsin.client.retry import Attempts, Retry

AWAY = ClientError(StatusCode.UNAVAILABLE, "away")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def attempts(retry: Retry, *, repeatable: bool = True, jitter: float = 1.0) -> tuple[Attempts, Clock]:
    clock = Clock()
    return Attempts(retry, repeatable=repeatable, clock=clock, jitter=lambda: jitter), clock


def test_waits_double_up_to_the_most() -> None:
    plan, _ = attempts(Retry(total=100, first=0.1, most=1.0))
    assert [plan.after(AWAY) for _ in range(6)] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


@given(st.floats(0, 1))
def test_jitter_leaves_at_least_half(jitter: float) -> None:
    plan, _ = attempts(Retry(first=0.2), jitter=jitter)
    wait = plan.after(AWAY)
    assert wait is not None
    assert 0.1 <= wait <= 0.2


def test_the_servers_wish_is_honoured() -> None:
    plan, _ = attempts(Retry(total=100))
    assert plan.after(ClientError(StatusCode.UNAVAILABLE, "full", reason="QUEUE_FULL", retry_after=7.5)) == 7.5


def test_a_wish_that_exceeds_the_time_ends_it() -> None:
    plan, _ = attempts(Retry(total=5))
    assert plan.after(ClientError(StatusCode.UNAVAILABLE, "full", retry_after=7.5)) is None


def test_the_total_bounds_everything() -> None:
    plan, clock = attempts(Retry(total=10, attempt=4))
    assert plan.timeout() == 4
    clock.now += 9
    assert plan.timeout() == pytest.approx(1)
    clock.now += 0.99
    assert plan.after(AWAY) is None


def test_no_time_at_all_is_one_attempt() -> None:
    plan, _ = attempts(Retry(total=0, attempt=3))
    assert plan.timeout() == 3
    assert plan.after(AWAY) is None


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20) | st.none()), max_size=50), st.floats(0, 30))
def test_no_wait_ends_after_the_total(history: list[tuple[float, float | None]], total: float) -> None:
    plan, clock = attempts(Retry(total=total))
    for took, wish in history:
        clock.now += min(took, plan.timeout())
        wait = plan.after(ClientError(StatusCode.UNAVAILABLE, "", retry_after=wish))
        if wait is None:
            return
        clock.now += wait
        assert clock.now <= 1000 + total


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ClientError(StatusCode.UNAVAILABLE, ""), True),
        (ClientError(StatusCode.DEADLINE_EXCEEDED, ""), True),
        (ClientError(StatusCode.RESOURCE_EXHAUSTED, "", reason="RATE_LIMITED"), True),
        (ClientError(StatusCode.RESOURCE_EXHAUSTED, "", retry_after=1.0), True),
        (ClientError(StatusCode.RESOURCE_EXHAUSTED, "", reason="BODY_TOO_LARGE"), False),
        (ClientError(StatusCode.RESOURCE_EXHAUSTED, "", reason="QUOTA_EXCEEDED"), False),
        (ClientError(StatusCode.INVALID_ARGUMENT, ""), False),
        (ClientError(StatusCode.NOT_FOUND, ""), False),
        (ClientError(StatusCode.INTERNAL, ""), False),
        (ClientError(StatusCode.UNAUTHENTICATED, ""), False),
    ],
)
def test_which_errors_are_worth_it(error: ClientError, again: bool) -> None:
    assert error.retryable is again
    assert (attempts(Retry())[0].after(error) is not None) is again


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("QUEUE_FULL", True),
        ("SHUTTING_DOWN", True),
        ("PARTITION_UNAVAILABLE", True),
        ("STORE_UNAVAILABLE", False),  # it may have been kept
        ("", False),  # the connection broke: nobody knows
    ],
)
def test_what_cannot_be_repeated_is_repeated_only_when_nothing_was_kept(reason: str, again: bool) -> None:
    plan, _ = attempts(Retry(), repeatable=False)
    assert (plan.after(ClientError(StatusCode.UNAVAILABLE, "", reason=reason)) is not None) is again


def test_what_cannot_be_repeated_has_all_the_time_for_its_one_attempt() -> None:
    assert attempts(Retry(total=30, attempt=5), repeatable=False)[0].timeout() == 30


@pytest.mark.parametrize("wrong", [{"total": -1.0}, {"attempt": 0.0}, {"first": 0.0}, {"most": 0.0}])
def test_senseless_policies_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Retry"):
        Retry(**wrong)
