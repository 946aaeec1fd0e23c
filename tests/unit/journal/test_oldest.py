"""The oldest instant of a queue is what looking at all of it would find."""

from collections import deque

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tocsin.journal.oldest import Oldest

AT = st.integers(0, 20)  # few, so that equal ones meet


class Queue(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.queue = deque()
        self.taken = []
        self.oldest = Oldest()

    @rule(at=AT)
    def join(self, at):
        self.queue.append(at)
        self.oldest.join(at)

    @precondition(lambda self: self.queue)
    @rule(count=st.integers(1, 5))
    def take(self, count):
        self.taken = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        for at in self.taken:
            self.oldest.leave(at)

    @precondition(lambda self: self.taken)
    @rule(kept=st.integers(0, 4))
    def put_back(self, kept):
        """All, or what is left after the first few were stepped; nothing else was taken meanwhile."""
        back, self.taken = self.taken[kept:], []
        self.queue.extendleft(reversed(back))
        for at in reversed(back):
            self.oldest.put_back(at)

    @invariant()
    def is_the_smallest(self):
        assert self.oldest.get() == min(self.queue, default=None)


TestQueue = Queue.TestCase
