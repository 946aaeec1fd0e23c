"""Time zones by name, compiled once.

The files are read by whoever wires the program (`tocsin.app.tzdata.read_zone`): here a reader is a function from a name
to TZif bytes, or None. Names are checked before the reader sees them, so it may treat them as paths.
"""

import difflib
import functools
import re
from collections.abc import Callable, Collection

from tocsin._core.zone import Zone
from tocsin.domain import errors
from tocsin.schedule import tzif

_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")


_GUESSES = 1_000  # names that are none, with what was suggested for them
_LENGTHS = 3  # characters by which a suggestion may be longer or shorter
_FIRST_S = 0  # before 1970 no monitor waits for anything
_LAST_S = 16_725_225_600  # 2500: the rules of a zone's future repeat within 400 years


def same(one: Zone, other: Zone) -> bool:
    """Whether two readings of a zone say the same of every instant that schedules are asked about."""
    at: int | None = _FIRST_S
    while at is not None and at < _LAST_S:
        _, end, offset = one.segment(at)
        _, other_end, other_offset = other.segment(at)
        if offset != other_offset or end != other_end:
            return False
        at = end
    return True


class Zones:
    """The zones that were asked for so far. `names` is only asked to suggest a near miss."""

    def __init__(self, read: Callable[[str], bytes | None], names: Callable[[], Collection[str]] | None = None) -> None:
        self._read = read
        self._names = names
        self._zones: dict[str, Zone] = {}
        self._guess = functools.lru_cache(_GUESSES)(self._nearest)  # the same mistake comes with every run of a job

    def known(self) -> dict[str, Zone]:
        """The zones that were asked for so far, by name."""
        return dict(self._zones)

    def keep(self, name: str, zone: Zone) -> None:
        """Uses this zone for a name, whatever the files say."""
        self._zones[name] = zone

    def get(self, name: str, *, field: str = "schedule.time_zone") -> Zone:
        """The zone of an IANA name such as "Europe/Vienna"; `InvalidArgument` about `field` if there is none."""
        zone = self._zones.get(name)
        if zone is None:
            data = self._read(name) if _NAME.fullmatch(name) else None
            if data is None:
                raise self._unknown(name, field)
            try:
                zone = Zone(*tzif.parse(data))
            except ValueError as error:
                raise errors.invalid(
                    field, f"the file of zone {name!r} is damaged: {error}", reason="TIME_ZONE_UNKNOWN", time_zone=name
                ) from error
            self._zones[name] = zone
        return zone

    def _unknown(self, name: str, field: str) -> errors.InvalidArgument:
        shown = name[:100]
        guess = self._guess(shown.lower().replace(" ", "_"))
        near = f"; did you mean {guess}?" if guess else ""
        return errors.invalid(
            field,
            f'{shown!r} is not a time zone; expected an IANA name such as "Europe/Vienna"{near}',
            reason="TIME_ZONE_UNKNOWN",
            time_zone=shown,
        )

    @functools.cached_property
    def _known_names(self) -> dict[str, str]:
        return {known.lower(): known for known in sorted(self._names() if self._names is not None else ())}

    def _nearest(self, wanted: str) -> str:
        """The name that was meant, or "". Only names that begin alike are compared: all of them would take too long."""
        city = wanted.rpartition("/")[2]
        near = [
            name
            for name in self._known_names
            if abs(len(name) - len(wanted)) <= _LENGTHS
            and (name[:2] == wanted[:2] or name.rpartition("/")[2][:2] == city[:2])
        ]
        close = difflib.get_close_matches(wanted, near, n=1, cutoff=0.75)
        if close:
            return self._known_names[close[0]]
        same_city = (known for name, known in self._known_names.items() if name.rpartition("/")[2] == city)
        return next(same_city, "")
