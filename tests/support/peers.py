"""Questions for other people's cron libraries, and what lies between a question and its answers."""

import datetime as dt
import warnings
from dataclasses import dataclass
from functools import cached_property

from support.oracle import corpus
from support.oracle.cron import Expression

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from croniter import CroniterError, croniter
    from cronsim import CronSim, CronSimError

HOUR = 3600


@dataclass(frozen=True)
class Shift:
    """A change of a zone's offset."""

    second: int
    before: int
    after: int

    @property
    def gap(self) -> bool:
        return self.after > self.before

    @property
    def size(self) -> int:
        return abs(self.after - self.before)

    @property
    def walls(self) -> tuple[int, int]:
        """The wall seconds that do not exist, or exist twice: first, and the first after them."""
        low, high = sorted((self.second + self.before, self.second + self.after))
        return low, high


@dataclass(frozen=True)
class Question:
    """Which fire time of an expression comes after an instant?"""

    text: str
    zone: str
    start: int

    @cached_property
    def expression(self) -> Expression:
        return Expression(self.text)

    @cached_property
    def local(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.start, corpus.load(self.zone))

    def shifts(self, until: int, before_s: int = 0) -> list[Shift]:
        """The changes of offset after the start (or some seconds before it) and up to `until`."""
        return [
            Shift(*one) for one in corpus.transitions(self.zone, 1970, 2040) if self.start - before_s < one[0] <= until
        ]


class _Bounded(CronSim):
    """cronsim, which never ends at some folds: after this many steps it is taken to be stuck."""

    STEPS = 20_000

    def tick(self, seconds: int = 1) -> None:
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps > self.STEPS:
            raise StopIteration
        super().tick(seconds)


def cronsim(question: Question) -> int | None:
    """In seconds; None for no answer within its 50 years, or none at all."""
    try:
        found = next(_Bounded(question.text, question.local), None)
    except CronSimError:
        return None
    return None if found is None else int(found.timestamp())


def croniter_next(question: Question) -> int | None:
    """In seconds; None for no answer within its 50 years, and for words that it does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Six fields: croniter reads seconds last unless told otherwise.
            found = croniter(question.text, question.local, second_at_beginning=True).get_next(dt.datetime)
        except CroniterError:
            return None
    return int(found.timestamp())
