"""What is loaded is left alone by the collector, in a process of its own: the setting is the process's."""

import subprocess
import sys

PROGRAM = """
import gc
from tocsin.app import memory
kept = [{"n": number} for number in range(1_000)]
memory.settle()
print(gc.get_freeze_count() > 1_000, gc.isenabled(), gc.get_threshold()[0] > 700)
"""


def test_what_is_there_is_not_looked_at_again():
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["True"] * 3
