"""Programs in a fresh interpreter, and what they do there with requests for memory that are refused."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent


def run(*arguments):
    """What a fresh interpreter prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def starve(paths, *, lasting):
    """Refuses the n-th request for memory of each path, and all from the n-th on, until it goes through.

    `paths`: name -> (make the subject, call it, whether it answers). After a refusal the subject must answer as before
    and the call go through; `lasting`: then it must answer still. Prints "name count" of refusals.
    """
    for name, (make, call, answers) in paths.items():
        for only_one in (True, False):
            first = 1
            while True:
                subject = make()
                if not refused(call, subject, first, first if only_one else 0):
                    break
                assert answers(subject), (name, first, only_one)
                call(subject)
                assert not lasting or answers(subject), (name, first, only_one)
                first += 1
                assert first < 1000, name
            print(f"{name}: {first - 1}")


def refused(call, subject, first, last):
    """Whether the call, with requests `first` to `last` refused (0: all that follow), ended in a MemoryError."""
    import _testcapi

    _testcapi.set_nomemory(first - 1, last)
    try:
        call(subject)
    except MemoryError:
        _testcapi.remove_mem_hooks()
        return True
    _testcapi.remove_mem_hooks()
    return False
