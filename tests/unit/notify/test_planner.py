"""What is said of an incident, to whom and when: scenarios as tables, in minutes since it opened."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.notice import NoticeKind, Told
from tocsin.notify.planner import Plan, Standing, Telling, plan

OPS, ALL = ("webhook:ops",), ("webhook:ops", "email:a@example.org")
T0 = 1_000 * MINUTE


class Story:
    """An incident that opens at minute 0, and who is told what of it."""

    def __init__(self, *destinations: str, delay: float = 0, repeat: float = 0, limit: int = 0, undelayed: tuple = ()):
        self.telling = Telling(
            destinations or OPS, round(delay * MINUTE), frozenset(undelayed), round(repeat * MINUTE), limit
        )
        self.standing = Standing(opened=T0, causes=("error",))
        self.told: Told | None = None
        self.said: list[str] = []
        self.next: float | None = None

    def at(self, minute: float, **changes) -> "Story":
        """Somebody looks at this minute, at which this has changed."""
        for name in ("resolved", "quiet_until"):
            if isinstance(changes.get(name), int | float) and changes[name] != NEVER:
                changes[name] = T0 + round(changes[name] * MINUTE)
        self.standing = self.standing._replace(**changes)
        made = plan(self.standing, self.telling, self.told or Told(), T0 + round(minute * MINUTE))
        for saying in made.sayings:
            word = "recovery" if saying.kind is NoticeKind.RECOVERY else "reminder" if saying.reminder else "alert"
            self.said.append(f"{minute:g} {word} {saying.sequence} {saying.rule} {len(saying.destinations)}")
        self.told = made.told
        self.next = None if made.look is None else (made.look - T0) / MINUTE
        return self

    def until(self, minute: float) -> "Story":
        """Looks whenever it was told to, up to then."""
        while self.next is not None and self.next <= minute:
            self.at(self.next)
        return self


def test_told_at_once_and_of_the_recovery():
    story = Story(*ALL).at(0)
    assert (story.said, story.next) == (["0 alert 1 error 2"], None)
    story.at(5, resolved=5)
    assert story.said[1:] == ["5 recovery 2 error 2"]
    assert story.told is None


def test_the_first_alert_waits_for_the_delay():
    story = Story(delay=3).at(0)
    assert (story.said, story.next) == ([], 3)
    story.until(10)
    assert story.said == ["3 alert 1 error 1"]


def test_a_recovery_inside_the_delay_is_silent():
    story = Story(delay=3).at(0).at(2.9, resolved=2.9)
    assert (story.said, story.told) == ([], None)


def test_what_was_due_before_it_recovered_is_told_late():
    story = Story(delay=3).at(9, resolved=4)
    assert story.said == ["9 alert 1 error 1", "9 recovery 2 error 1"]
    assert Story(delay=3).at(9, resolved=2).said == []
    assert Story().at(9, resolved=0).said == ["9 alert 1 error 1", "9 recovery 2 error 1"]


def test_each_other_cause_is_told_once():
    story = Story().at(0).at(1, causes=("error", "missed")).at(2).at(3, causes=("missed",))
    assert story.said == ["0 alert 1 error 1", "1 alert 2 missed 1"]
    story.at(4, causes=("missed", "error"))  # it ended and began anew
    assert story.said[2:] == ["4 alert 3 error 1"]
    story.at(5, resolved=5)
    assert story.said[3:] == ["5 recovery 4 missed 1"]


def test_causes_wait_for_their_own_delay_and_a_miss_does_not():
    story = Story(delay=3, undelayed=("missed",)).at(0).at(1, causes=("error", "missed"))
    assert (story.said, story.next) == (["1 alert 1 missed 1"], 3)
    story.at(2, causes=("missed",))
    assert story.next is None
    story.at(2.5, causes=("missed", "error")).until(20)
    assert story.said[1:] == ["5.5 alert 2 error 1"]


def test_two_causes_at_once_are_two_alerts():
    assert Story().at(0, causes=("error", "metric.count < 3")).said == [
        "0 alert 1 error 1",
        "0 alert 2 metric.count < 3 1",
    ]


def test_reminders():
    story = Story(repeat=10).at(0)
    assert story.next == 10
    story.until(35)
    assert story.said == [
        "0 alert 1 error 1",
        "10 reminder 2 error 1",
        "20 reminder 3 error 1",
        "30 reminder 4 error 1",
    ]
    story.at(36, resolved=36)
    assert story.said[4:] == ["36 recovery 5 error 1"]


def test_reminders_count_from_the_last_alert_and_are_not_made_up_for():
    story = Story(repeat=10).at(0).at(6, causes=("error", "missed"))
    assert story.next == 16
    story.at(95)
    assert story.said[2:] == ["95 reminder 3 error 1"]
    assert story.next == 105


def test_the_limit_holds_until_it_recovers():
    story = Story(repeat=10, limit=3).at(0).until(1000)
    assert [line.split()[0] for line in story.said] == ["0", "10", "20"]
    assert story.next is None
    story.at(1001, causes=("error", "missed"))
    assert len(story.said) == 3
    story.at(1002, resolved=1002)
    assert story.said[3:] == ["1002 recovery 4 error 1"]


def test_no_reminders_once_somebody_has_taken_it_on_but_news():
    story = Story(repeat=10).at(0).at(5, acknowledged=True)
    assert story.next is None
    story.at(20, causes=("error", "missed"))
    assert story.said[1:] == ["20 alert 2 missed 1"]
    story.at(21, resolved=21)
    assert story.said[2:] == ["21 recovery 3 error 1"]


def test_silence_from_the_start():
    story = Story(repeat=10).at(0, quiet_until=60)
    assert (story.said, story.next) == ([], 60)
    story.at(61, quiet_until=None)
    assert story.said == ["61 alert 1 error 1"]


def test_silence_until_something_changes():
    story = Story().at(0, quiet_until=NEVER)
    assert story.next is None
    story.at(90, quiet_until=None)
    assert story.said == ["90 alert 1 error 1"]


def test_what_recovers_in_silence_is_never_told():
    assert Story().at(0, quiet_until=60).at(30, resolved=30).said == []
    assert Story().at(0, quiet_until=60).at(70, resolved=30, quiet_until=None).said == []
    assert Story().at(0).at(1, quiet_until=60).at(30, resolved=30).said == ["0 alert 1 error 1"]


def test_one_alert_when_silence_ends_and_it_still_fails():
    story = Story(repeat=100).at(0).at(5, quiet_until=60)
    assert story.next == 60
    story.at(60, quiet_until=None)
    assert story.said[1:] == ["60 reminder 2 error 1"]
    assert story.next == 160
    story.at(61)
    assert len(story.said) == 2


def test_a_recovery_after_silence_is_told_to_those_who_were_told():
    story = Story().at(0).at(5, quiet_until=60).at(60, quiet_until=None).at(61, resolved=61)
    assert story.said[2:] == ["61 recovery 3 error 1"]


def test_the_end_of_silence_respects_the_delay():
    story = Story(delay=10).at(0, quiet_until=5).at(5, quiet_until=None)
    assert (story.said, story.next) == ([], 10)
    assert story.until(11).said == ["10 alert 1 error 1"]


def test_recovery_goes_to_all_that_were_told():
    story = Story("webhook:a").at(0)
    story.telling = story.telling._replace(destinations=("webhook:b",), repeat_ms=10 * MINUTE)
    story.at(10)
    made = plan(story.standing._replace(resolved=T0 + 11 * MINUTE), story.telling, story.told, T0 + 11 * MINUTE)
    assert [saying.destinations for saying in made.sayings] == [("webhook:a", "webhook:b")]


def test_nobody_to_tell():
    story = Story(repeat=10).at(0)
    story.telling = story.telling._replace(destinations=())
    assert story.at(10).said == ["0 alert 1 error 1"]
    assert story.next == 20
    new = Story()
    new.telling = new.telling._replace(destinations=())
    assert new.at(0).told is None
    story.telling = story.telling._replace(destinations=OPS)
    assert story.at(20).said[1:] == ["20 reminder 2 error 1"]


def test_a_deleted_monitor_is_over_without_a_word():
    assert plan(Standing(T0, ("error",), gone=True), Telling(OPS), Told(sent=3, recipients=OPS), T0) == Plan(
        (), None, None
    )


@pytest.mark.parametrize(
    "told", [Told(), Told(sent=2, last=T0, causes=("error",), seen={"x": 1}, recipients=ALL, hushed=True)]
)
def test_what_is_remembered_survives_being_written(told):
    assert msgspec.json.decode(msgspec.json.encode(told), type=Told) == told


causes = st.sets(st.sampled_from(["error", "missed", "timeout"]), min_size=1).map(lambda found: tuple(sorted(found)))
step = st.tuples(st.integers(0, 90), causes, st.sampled_from([None, None, None, 5, NEVER]), st.booleans())


@given(st.lists(step, max_size=12), st.integers(0, 20), st.integers(0, 30), st.integers(0, 4), st.integers(0, 400))
def test_whatever_happens(steps, delay, repeat, limit, resolved_after):
    """Sequences have no gap, the limit holds, a look lies ahead, and the recovery is told if anything was."""
    telling = Telling(OPS, delay * MINUTE, frozenset(("missed",)), repeat * MINUTE, limit)
    told, now, sequences, was_quiet = Told(), T0, [], False
    standing = Standing(T0, ("error",))
    for wait, some, quiet, acknowledged in steps:
        now += wait * MINUTE
        until = now + quiet * MINUTE if quiet and quiet != NEVER else quiet
        standing = standing._replace(causes=some, quiet_until=until, acknowledged=acknowledged)
        made = plan(standing, telling, told, now)
        assert made.told is not None
        assert not (until and made.sayings)
        assert made.look is None or made.look > now or (until and made.look == until)
        sequences += [saying.sequence for saying in made.sayings]
        again = plan(standing, telling, made.told, now)
        assert not again.sayings, "the same look again says nothing"
        told, was_quiet = made.told, bool(until)
    assert sequences == list(range(1, len(sequences) + 1))
    assert not limit or len(sequences) <= limit
    end = now + resolved_after * MINUTE
    made = plan(standing._replace(resolved=end, quiet_until=None), telling, told, end)
    kinds = [saying.kind for saying in made.sayings]
    assert kinds.count(NoticeKind.RECOVERY) == bool(sequences or NoticeKind.ALERT in kinds)
    assert kinds in ([], [NoticeKind.RECOVERY]) or (not sequences and not was_quiet)
    assert made.told is None
