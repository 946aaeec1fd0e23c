"""What the collector of cyclic garbage need not look at.

A loaded server has some hundred thousand objects that stay, and each request makes a few dozen that go by themselves.
Left alone, the collector walks over all of them every few thousand requests: a tenth of the time, and pauses in which
nobody is answered.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (10_000, 20, 20)  # new objects before a look at the youngest; looks before one at older ones


def settle() -> None:
    """What is there now stays: to be called once everything is loaded.

    What is dropped of it later is freed as ever, unless it is part of a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
