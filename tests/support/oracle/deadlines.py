"""The deadline heap as a dict."""


class Deadlines:
    NONE = 0xFFFFFFFF

    def __init__(self):
        self.seconds = {}

    def set(self, slot, leaf, second):
        self.seconds[2 * slot + leaf] = second
        if second == self.NONE:
            del self.seconds[2 * slot + leaf]

    def clear(self, slot, leaf):
        self.seconds.pop(2 * slot + leaf, None)

    def get(self, slot, leaf):
        return self.seconds.get(2 * slot + leaf, self.NONE)

    def min(self):
        return min(self.seconds.values(), default=self.NONE)

    def expire(self, now, limit):
        due = sorted(leaf for leaf, second in self.seconds.items() if second <= now)[:limit]
        for leaf in due:
            del self.seconds[leaf]
        return due

    def count_by_leaf(self):
        return sum(leaf % 2 == 0 for leaf in self.seconds), sum(leaf % 2 for leaf in self.seconds)
