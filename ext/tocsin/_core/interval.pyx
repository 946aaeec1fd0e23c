"""Every n units, counted from a reference.

Seconds, minutes and hours are real time: an hour is 3600 seconds on every day of the year. Days, weeks, months and
years move the wall clock of a zone and keep its time of day:
    1 month after 31 January is 28 February; 2 months after it is 31 March, for k steps are one step of k times n
    a wall time inside a gap is read with the offset before it: 02:30 that does not exist is what 03:30 shows
    a wall time that exists twice is its first pass
Invariant: the next instant lies strictly after the reference, truncated to the minute or not.
Cost: one addition for real time; two conversions, about 50 ns, for calendar units. A re-arm after a long silence
divides instead of looping.
"""
from libc.stdint cimport int64_t

from tocsin._core.civil cimport civil_from_days, date_t, days_plus_months
from tocsin._core.types cimport FIRST_MS, LAST_MS, NEVER, floor_div, instant_t
from tocsin._core.zone cimport moments_t, zone_resolve, zone_segment

# Names of C constants, given to Python under the same names.
globals().update(SECOND=SECOND, MINUTE=MINUTE, HOUR=HOUR, DAY=DAY, WEEK=WEEK, MONTH=MONTH, YEAR=YEAR)

cdef inline int64_t unit_ms(int unit) noexcept nogil:
    return 1000 if unit == SECOND else 60_000 if unit == MINUTE else 3_600_000


cdef instant_t shifted(const interval_t *interval, const zone_t *zone, instant_t instant, int64_t steps) noexcept nogil:
    # Assumes that `steps` steps stay within some ten thousand years, which the lid and `interval_rearm` see to.
    cdef int64_t amount = interval.count * steps, seconds, wall, days
    cdef moments_t found
    if interval.unit <= HOUR:
        return instant + amount * unit_ms(interval.unit)
    seconds = floor_div(instant, 1000)
    wall = seconds + zone_segment(zone, seconds).offset
    days = floor_div(wall, 86400)
    wall -= days * 86400
    if interval.unit == DAY:
        days += amount
    elif interval.unit == WEEK:
        days += amount * 7
    else:
        days = days_plus_months(days, amount if interval.unit == MONTH else amount * 12)
    found = zone_resolve(zone, days * 86400 + wall)
    # Where a whole day is lived twice, its first pass may lie before a reference in the second.
    wall = found.second if steps > 0 and found.first <= seconds else found.first
    return wall * 1000 + instant - seconds * 1000


cdef instant_t without_seconds(const zone_t *zone, instant_t instant, instant_t after) noexcept nogil:
    # The start of the wall-clock minute; if that is not after the reference, the start of the next one.
    cdef int64_t seconds = floor_div(instant, 1000)
    cdef int64_t wall = seconds + zone_segment(zone, seconds).offset
    seconds -= wall - floor_div(wall, 60) * 60
    return seconds * 1000 if seconds * 1000 > after else seconds * 1000 + 60_000


cdef instant_t step(
    const interval_t *interval, const zone_t *zone, instant_t anchor, int64_t steps
) noexcept nogil:
    cdef instant_t instant = shifted(interval, zone, anchor, steps)
    return without_seconds(zone, instant, anchor) if interval.truncate else instant


cdef instant_t interval_next(const interval_t *interval, const zone_t *zone, instant_t reference) noexcept nogil:
    """One step after the reference, or NEVER past the year 9999."""
    cdef instant_t instant = step(interval, zone, reference, 1)
    return instant if instant <= LAST_MS else NEVER


cdef instant_t interval_prev(const interval_t *interval, const zone_t *zone, instant_t reference) noexcept nogil:
    """One step before the reference, never truncated, or NEVER before the year 1."""
    cdef instant_t instant = shifted(interval, zone, reference, -1)
    return instant if instant >= FIRST_MS else NEVER


cdef instant_t interval_rearm(
    const interval_t *interval, const zone_t *zone, instant_t anchor, instant_t at
) noexcept nogil:
    """The first of anchor + k steps, k >= 1, at or after `at`, or NEVER past the year 9999."""
    cdef int64_t steps = 1, length
    cdef date_t begin, end
    cdef instant_t instant
    if at > anchor:
        # A lower bound by division; few steps are left to try, of truncated seconds up to a minute's.
        if interval.unit <= WEEK:
            if interval.unit <= HOUR:
                length = unit_ms(interval.unit)
            else:
                length = 86_400_000 * (1 if interval.unit == DAY else 7)
            steps = (at - anchor - (0 if interval.unit <= HOUR else 2 * 86_400_000)) / (length * interval.count)
        else:
            begin = civil_from_days(floor_div(anchor, 86_400_000))
            end = civil_from_days(floor_div(at, 86_400_000))
            length = (end.year - begin.year) * 12 + end.month - begin.month - 2
            steps = length / (interval.count * (1 if interval.unit == MONTH else 12))
        if steps < 1:
            steps = 1
    while True:
        instant = step(interval, zone, anchor, steps)
        if instant > LAST_MS:
            return NEVER
        if instant >= at:
            return instant
        steps += 1
