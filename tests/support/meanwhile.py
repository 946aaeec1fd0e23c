"""Another thread that counts on: does a call give up the GIL of its own accord?"""

import sys
import threading
import time

ROUNDS = 500  # more than enough of a chance for a thread that is allowed to run


class Meanwhile(threading.Thread):
    """Does `work` again and again, giving up the GIL after each time."""

    def __init__(self, work=None):
        super().__init__(daemon=True)
        self.count, self.work, self.over = 0, work, False

    def run(self):
        while not self.over:
            if self.work:
                self.work()
            self.count += 1
            time.sleep(0)  # gives up the GIL, waits for nothing

    def __enter__(self):
        self.interval = sys.getswitchinterval()
        self.start()
        while not self.count:
            time.sleep(0)
        sys.setswitchinterval(1000)
        return self

    def __exit__(self, *_):
        self.over = True
        sys.setswitchinterval(self.interval)
        self.join()

    def advances(self, call, rounds=ROUNDS):
        """Whether the count moves within one of so many calls."""
        for _ in range(rounds):
            before = self.count
            call()
            if self.count != before:
                return True
        return False
