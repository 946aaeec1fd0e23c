"""Under an escalation: alerts wait for failures or for time, and silence is final. In minutes since it opened."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.notice import NoticeKind, Told
from tocsin.notify.planner import Standing, Telling, plan

OPS = ("webhook:ops",)
T0 = 1_000 * MINUTE


class Story:
    """An incident that opens at minute 0 with its first failure, and what is said of it."""

    def __init__(self, *, failures: int = 1, delay: float = 0, repeat: float = 0, limit: int = 0) -> None:
        self.telling = Telling(
            *(OPS, round(delay * MINUTE), frozenset(), round(repeat * MINUTE), limit, failures), final_silence=True
        )
        self.standing = Standing(T0, ("missed",))
        self.told: Told | None = Told()
        self.said: list[str] = []
        self.next: float | None = None
        self.count = 0

    def at(self, minute: float, **changes) -> "Story":
        if isinstance(changes.get("resolved"), int):
            changes["resolved"] = T0 + changes["resolved"] * MINUTE
        self.standing = self.standing._replace(**changes)
        made = plan(self.standing, self.telling, self.told or Told(), T0 + round(minute * MINUTE))
        for one in made.sayings:
            word = "recovery" if one.kind is NoticeKind.RECOVERY else "reminder" if one.reminder else "alert"
            remains = f" remains {one.reminder_sequence}" if one.remaining else ""
            self.said.append(f"{minute:g} {word} {one.sequence}{remains}")
        self.told, self.count = made.told, made.failures
        self.next = None if made.look is None else (made.look - T0) / MINUTE
        return self

    def to(self, destinations: tuple[str, ...]) -> "Story":
        self.telling = self.telling._replace(destinations=destinations)
        return self

    def until(self, minute: float) -> "Story":
        while self.next is not None and self.next <= minute:
            self.at(self.next)
        return self


def test_at_once_is_no_remaining_failure():
    assert Story().at(0).at(70, failures=2).at(71, resolved=71).said == ["0 alert 1", "71 recovery 2"]


def test_it_waits_for_so_many_failures():
    story = Story(failures=3).at(0)
    assert (story.said, story.next, story.count) == ([], None, 3)
    story.at(70, failures=2)
    assert (story.said, story.next, story.count) == ([], None, 3)
    story.at(140, failures=3)
    assert (story.said, story.next, story.count) == (["140 alert 1 remains 0"], None, 0)
    assert story.at(210, failures=4).at(211, resolved=211).said[1:] == ["211 recovery 2"]


def test_what_recovers_before_is_never_told():
    assert Story(failures=2).at(0).at(5, resolved=5).said == []
    assert Story(delay=10).at(0).at(5, resolved=5).said == []


def test_a_late_look_says_what_was_due():
    assert Story(failures=2).at(99, failures=2, resolved=80).said == ["99 alert 1 remains 0", "99 recovery 2"]


def test_it_waits_for_time_and_fires_by_itself():
    story = Story(delay=10).at(0)
    assert (story.said, story.next, story.count) == ([], 10, 0)
    assert story.until(100).said == ["10 alert 1 remains 0"]
    assert story.next is None


def test_both_must_be_met():
    story = Story(failures=2, delay=10).at(0)
    assert (story.next, story.count) == (None, 2)
    story.at(5, failures=2)
    assert (story.said, story.next) == ([], 10)
    assert Story(failures=2, delay=10).at(0).at(20, failures=2).said == ["20 alert 1 remains 0"]


def test_reminders_are_so_many_and_end_with_the_recovery():
    story = Story(repeat=5, limit=3).at(0).until(60)
    assert story.said == ["0 alert 1", "5 reminder 2 remains 1", "10 reminder 3 remains 2"]
    assert story.at(61, resolved=61).said[3:] == ["61 recovery 4"]
    endless = Story(repeat=5).at(0).until(500)
    assert len(endless.said) == 101


def test_what_falls_due_in_silence_is_not_told_afterwards():
    story = Story().at(0, quiet_until=NEVER)
    assert (story.said, story.next) == ([], None)
    story.at(30, quiet_until=None).until(500).at(70, failures=2)
    assert story.said == []
    assert story.at(90, resolved=90).said == []


def test_the_next_reminder_after_silence_is_told():
    story = Story(repeat=5, limit=4).at(0, quiet_until=NEVER)
    assert story.next is None  # until something changes
    story.until(7).at(7, quiet_until=None)
    assert (story.said, story.next) == ([], 10)
    story.until(60)
    assert story.said == ["10 reminder 1 remains 2", "15 reminder 2 remains 3"]
    assert story.at(61, resolved=61).said[2:] == ["61 recovery 3"]


def test_the_next_threshold_after_silence_is_told():
    assert Story(failures=2).at(0, quiet_until=NEVER).at(5, quiet_until=None).at(70, failures=2).said == [
        "70 alert 1 remains 0"
    ]
    assert Story(delay=10).at(0, quiet_until=T0 + 5 * MINUTE).at(5, quiet_until=None).until(99).said == [
        "10 alert 1 remains 0"
    ]


def test_a_threshold_in_silence_is_passed_over():
    story = Story(failures=2).at(0).at(70, failures=2, quiet_until=NEVER)
    assert story.count == 0
    assert story.at(80, quiet_until=None).at(140, failures=3).at(150, resolved=150).said == []


def test_a_reminder_in_silence_is_passed_over_and_the_recovery_told():
    story = Story(repeat=5).at(0).at(1, quiet_until=NEVER).until(7).at(7, quiet_until=None).at(8, resolved=8)
    assert story.said == ["0 alert 1", "8 recovery 2"]


def test_reminders_in_a_silence_without_an_end_are_not_looked_at_and_counted_when_it_ends():
    story = Story(repeat=5, limit=30).at(0).at(1, quiet_until=NEVER)
    told = story.told
    assert (story.next, story.at(60).told) == (None, told)
    story.at(102, quiet_until=None)
    assert (story.said, story.next) == (["0 alert 1"], 105)
    assert story.until(500).said[1] == "105 reminder 2 remains 21"
    assert (len(story.said), story.next) == (10, None)


def test_a_silence_that_took_all_reminders():
    story = Story(repeat=5, limit=3).at(0).at(1, quiet_until=NEVER).at(102, quiet_until=None)
    assert (story.said, story.next) == (["0 alert 1"], None)


def test_the_end_of_a_silence_is_waited_for_and_what_is_due_then_is_said():
    story = Story(repeat=5).at(0).at(1, quiet_until=T0 + 22 * MINUTE)
    assert story.next == 25
    assert story.at(25, quiet_until=None).said[1:] == ["25 reminder 2 remains 5"]
    story.at(26, quiet_until=T0 + 35 * MINUTE)
    assert story.next == 35
    assert story.at(35, quiet_until=None).said[2:] == ["35 reminder 3 remains 7"]
    story.at(36, quiet_until=T0 + 50 * MINUTE).at(42, quiet_until=None)  # it ended before
    assert (len(story.said), story.next) == (3, 45)


def test_who_comes_after_the_opening_hears_of_the_threshold():
    story = Story(failures=3).to(()).at(0).at(1).to(OPS).at(70, failures=2).at(140, failures=3)
    assert story.said == ["140 alert 1 remains 0"]
    story = Story(delay=10).to(()).at(0)
    assert story.next == 10
    assert story.to(OPS).until(99).said == ["10 alert 1 remains 0"]


def test_who_comes_after_the_threshold_hears_of_the_next_reminder():
    story = Story(failures=2, repeat=5, limit=4).to(()).at(0).at(1, failures=2)
    assert story.said == []
    story.until(12).to(OPS).at(13)
    assert (story.said, story.next) == ([], 16)
    assert story.until(99).said == ["16 reminder 1 remains 3"]


def test_one_that_nobody_is_told_of_is_looked_at_ever_more_seldom():
    story = Story(repeat=1).to(()).at(0)
    looks = []
    while story.next is not None and story.next < 10_000:
        looks.append(story.next)
        story.at(story.next)
    assert len(looks) < 20


def test_what_nobody_was_told_of_is_over_when_nothing_can_follow():
    assert Story().to(()).at(0).told is None
    assert Story(failures=2).to(()).at(0).at(5, failures=2).told is None
    assert Story().at(0).to(()).at(5).told is not None


def test_what_recovers_in_silence_is_not_told():
    assert Story().at(0).at(1, quiet_until=NEVER).at(8, resolved=8).said == ["0 alert 1"]


@pytest.mark.parametrize("told", [Told(passed=2, last=T0, causes=("missed",)), Told(sent=1, passed=1)])
def test_what_is_remembered_survives_being_written(told):
    assert msgspec.json.decode(msgspec.json.encode(told), type=Told) == told


step = st.tuples(st.integers(0, 90), st.integers(0, 2), st.booleans())


@given(st.lists(step, max_size=15), st.integers(1, 5), st.integers(0, 30), st.integers(0, 30), st.integers(0, 5))
def test_whatever_happens(steps, failures, delay, repeat, limit):
    """No alert before it is due, none in silence, no more than the limit, no gap, and a look that lies ahead."""
    telling = Telling(OPS, delay * MINUTE, frozenset(), repeat * MINUTE, limit, failures, final_silence=True)
    told, now, counted, sequences = Told(), T0, 1, []
    for wait, more, quiet in [(0, 0, False), *steps]:
        now, counted = now + wait * MINUTE, counted + more
        standing = Standing(T0, ("missed",), quiet_until=NEVER if quiet else None, failures=counted)
        made = plan(standing, telling, told, now)
        assert made.told is not None
        sequences += [saying.sequence for saying in made.sayings]
        assert not (quiet and made.sayings)
        assert not made.sayings or (counted >= failures and now >= T0 + delay * MINUTE)
        assert made.look is None or made.look > now
        assert bool(made.failures) == (counted < failures)
        assert not plan(standing, telling, made.told, now).sayings, "the same look again says nothing"
        told = made.told
    assert sequences == list(range(1, len(sequences) + 1))
    assert not limit or told.sent + told.passed <= limit
    ended = plan(Standing(T0, ("missed",), now, failures=counted), telling, told, now)
    assert [saying.kind for saying in ended.sayings] == [NoticeKind.RECOVERY] * bool(sequences)
    assert ended.told is None
