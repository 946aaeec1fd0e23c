"""When a cron expression matches next, or matched last.

Data: `cron_t`, 64 bytes of bit masks. The days of one month are one 32-bit mask, computed when it is reached.
Two steps: `cron_wall_*` search civil time and know no zone, field by field by "next set bit"; `cron_next` and
`cron_prev` walk the zone's segments, each a stretch of wall time without gap or fold, and search inside it.
Invariant: `cron_next` never looks at a wall time twice unless the policy repeats folds. The four daylight policies are
two flags: REPEAT lets the search fall back when a fold begins, MOVE lets a match inside a gap fire at its end.
A set of years is a filter around the wall search and costs the others one test.
Cost: 25-40 ns for a minute, an hour or a day, up to 100 ns for MON#2 (benchmarks/bench_next_fire.py); a step for each
transition in between; a month that does not match costs a few ns, and after 400 years, when the calendar repeats, the
answer is NEVER.
"""
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memset

from tocsin._core.civil cimport civil_from_days, date_t, days_from_civil, month_days, weekday_of
from tocsin._core.types cimport NEVER, floor_div, highest_bit, lowest_bit
from tocsin._core.zone cimport CYCLE_S, FAR, MAX_OFFSET, segment_t, zone_earlier, zone_later, zone_segment

cdef enum:
    MONTHS = 400 * 12 + 1


cdef inline uint64_t from_bit(int bit) noexcept nogil:
    return ~0ULL << bit


cdef inline uint64_t up_to_bit(int bit) noexcept nogil:
    return ~0ULL >> (63 - bit)


cdef inline uint32_t turned(uint64_t week, int first) noexcept nogil:
    # Seven bits by weekday become seven bits by day, for days that begin on weekday `first`.
    return <uint32_t>(((week >> first) | (week << (7 - first))) & 0x7f)


cdef uint32_t cron_days(const cron_t *cron, int64_t first_day, int length) noexcept nogil:
    """The matching days, bits 1 to 31, of a month of `length` days that begins on day `first_day` since 1970."""
    cdef int first, k, day, target, weekday
    cdef uint32_t whole = <uint32_t>(up_to_bit(length) & ~1ULL)
    cdef uint32_t by_date = cron.dom, left
    cdef uint64_t by_week
    if cron.flags & ANY_DAY:
        return whole
    first = weekday_of(first_day)
    by_week = (<uint64_t>turned(cron.dow, first) * 0x10204081ULL) << 1
    left = cron.last & <uint32_t>up_to_bit(length - 1)
    while left:
        by_date |= 1U << (length - lowest_bit(left))
        left &= left - 1
    if cron.flags & LAST_WEEKDAY:
        weekday = (first + length - 1) % 7
        by_date |= 1U << (length - (2 if weekday == 0 else 1 if weekday == 6 else 0))
    left = cron.nearest & whole
    while left:
        day = lowest_bit(left)
        left &= left - 1
        weekday = (first + day - 1) % 7
        target = day
        if weekday == 6:  # Saturday: the Friday before, unless that is another month
            target = day - 1 if day > 1 else 3
        elif weekday == 0:  # Sunday: the Monday after, unless that is another month
            target = day + 1 if day < length else day - 2
        by_date |= 1U << target
    if cron.nth:
        for k in range(5):
            by_week |= <uint64_t>turned((cron.nth >> (7 * k)) & 0x7f, first) << (7 * k + 1)
        by_week |= <uint64_t>turned((cron.nth >> 35) & 0x7f, (first + length) % 7) << (length - 6)
    if cron.flags & EITHER_DAY:
        return (by_date | <uint32_t>by_week) & whole
    return by_date & <uint32_t>by_week & whole


cdef inline int64_t time_next(const cron_t *cron, int64_t second_of_day) noexcept nogil:
    # The first matching second of the day at or after the given one, or -1.
    cdef uint32_t of_day = <uint32_t>second_of_day, minutes, hour, minute
    cdef uint64_t bits
    if cron.flags & WHOLE_MINUTES:  # the start is rounded up: no branch that depends on its seconds
        minutes = (of_day + 59) / 60
        hour = minutes / 60
        minute = minutes - hour * 60
        bits = cron.minute & from_bit(minute)
        if cron.hour >> hour & 1 and bits:
            return hour * 3600 + lowest_bit(bits) * 60
        bits = cron.hour & (from_bit(hour) << 1)
        return lowest_bit(bits) * 3600 + cron.first_s % 3600 if bits else -1
    minutes = of_day / 60
    hour = minutes / 60
    minute = minutes - hour * 60
    if cron.hour >> hour & 1:
        if cron.minute >> minute & 1:
            bits = cron.second & from_bit(of_day - minutes * 60)
            if bits:
                return hour * 3600 + minute * 60 + lowest_bit(bits)
        bits = cron.minute & (from_bit(minute) << 1)
        if bits:
            return hour * 3600 + lowest_bit(bits) * 60 + lowest_bit(cron.second)
    bits = cron.hour & (from_bit(hour) << 1)
    if bits:
        return lowest_bit(bits) * 3600 + cron.first_s % 3600
    return -1


cdef inline int64_t time_prev(const cron_t *cron, int64_t second_of_day) noexcept nogil:
    cdef int hour = <int>(second_of_day / 3600), minute = <int>(second_of_day / 60 % 60)
    cdef int second = <int>(second_of_day % 60)
    cdef uint64_t bits
    if cron.hour >> hour & 1:
        if cron.minute >> minute & 1:
            bits = cron.second & up_to_bit(second)
            if bits:
                return hour * 3600 + minute * 60 + highest_bit(bits)
        bits = cron.minute & ~from_bit(minute)
        if bits:
            return hour * 3600 + highest_bit(bits) * 60 + highest_bit(cron.second)
    bits = cron.hour & ~from_bit(hour)
    if bits:
        return highest_bit(bits) * 3600 + cron.last_s % 3600
    return -1


cdef void cron_prepare(cron_t *cron) noexcept nogil:
    # Assumes that no mask of the time of day is empty.
    if cron.dom == 0xfffffffeU and cron.dow == 0x7f:
        cron.flags |= ANY_DAY
        if cron.month == 0x1ffe:
            cron.flags |= EVERY_DAY
    elif cron.dom == 0xfffffffeU and cron.month == 0x1ffe and cron.dow and not cron.nth:
        if not cron.flags & EITHER_DAY:
            cron.flags |= BY_WEEKDAY
    if cron.second == 1:
        cron.flags |= WHOLE_MINUTES
    cron.first_s = lowest_bit(cron.hour) * 3600 + lowest_bit(cron.minute) * 60 + lowest_bit(cron.second)
    cron.last_s = highest_bit(cron.hour) * 3600 + highest_bit(cron.minute) * 60 + highest_bit(cron.second)


cdef inline int64_t any_year_next(const cron_t *cron, int64_t wall_s) noexcept nogil:
    cdef int64_t days = floor_div(wall_s, 86400), time, first_day
    cdef date_t date
    cdef int length, months = 0
    cdef uint32_t left = 0
    if cron.flags & EVERY_DAY:
        time = time_next(cron, wall_s - days * 86400)
        return days * 86400 + (time if time >= 0 else 86400 + cron.first_s)
    if cron.flags & BY_WEEKDAY:
        left = turned(cron.dow, weekday_of(days))  # bit 0 is this day, bit 7 the same one in a week
        if left & 1:
            time = time_next(cron, wall_s - days * 86400)
            if time >= 0:
                return days * 86400 + time
            left ^= 0x81
        return (days + lowest_bit(left)) * 86400 + cron.first_s
    date = civil_from_days(days)
    length = month_days(date.year, date.month)
    first_day = days - date.day + 1
    if cron.month >> date.month & 1:
        left = cron_days(cron, first_day, length) & <uint32_t>from_bit(date.day)
        if left >> date.day & 1:
            time = time_next(cron, wall_s - days * 86400)
            if time >= 0:
                return days * 86400 + time
            left &= left - 1
        if left:
            return (first_day + lowest_bit(left) - 1) * 86400 + cron.first_s
    while months < MONTHS:
        months += 1
        first_day += length
        date.month += 1
        if date.month > 12:
            date.month = 1
            date.year += 1
        length = month_days(date.year, date.month)
        if cron.month >> date.month & 1:
            left = cron_days(cron, first_day, length)
            if left:
                return (first_day + lowest_bit(left) - 1) * 86400 + cron.first_s
    return NEVER


cdef inline int64_t any_year_prev(const cron_t *cron, int64_t wall_s) noexcept nogil:
    cdef int64_t days = floor_div(wall_s, 86400), time, first_day
    cdef date_t date
    cdef int months = 0
    cdef uint32_t left = 0
    if cron.flags & EVERY_DAY:
        time = time_prev(cron, wall_s - days * 86400)
        return days * 86400 + (time if time >= 0 else cron.last_s - 86400)
    if cron.flags & BY_WEEKDAY:
        left = turned(cron.dow, (weekday_of(days) + 1) % 7) << 1  # bit 7 is this day, bit 0 the same one a week ago
        if left & 0x80:
            time = time_prev(cron, wall_s - days * 86400)
            if time >= 0:
                return days * 86400 + time
            left ^= 0x81
        return (days - 7 + highest_bit(left)) * 86400 + cron.last_s
    date = civil_from_days(days)
    first_day = days - date.day + 1
    if cron.month >> date.month & 1:
        left = cron_days(cron, first_day, month_days(date.year, date.month)) & <uint32_t>up_to_bit(date.day)
        if left >> date.day & 1:
            time = time_prev(cron, wall_s - days * 86400)
            if time >= 0:
                return days * 86400 + time
            left ^= 1U << date.day
        if left:
            return (first_day + highest_bit(left) - 1) * 86400 + cron.last_s
    while months < MONTHS:
        months += 1
        date.month -= 1
        if date.month < 1:
            date.month = 12
            date.year -= 1
        first_day -= month_days(date.year, date.month)
        if cron.month >> date.month & 1:
            left = cron_days(cron, first_day, month_days(date.year, date.month))
            if left:
                return (first_day + highest_bit(left) - 1) * 86400 + cron.last_s
    return NEVER


cdef inline int64_t year_from(const cron_t *cron, int64_t year) noexcept nogil:
    # The first year of the set at or after the given one, or NEVER.
    cdef int64_t at = year - FIRST_YEAR if year > FIRST_YEAR else 0
    cdef uint64_t bits
    while at < 64 * YEAR_WORDS:
        bits = cron.years[at / 64] >> (at % 64)
        if bits:
            return FIRST_YEAR + at + lowest_bit(bits)
        at = (at / 64 + 1) * 64
    return NEVER


cdef inline int64_t year_to(const cron_t *cron, int64_t year) noexcept nogil:
    # The last year of the set at or before the given one, or NEVER.
    cdef int64_t at = year - FIRST_YEAR if year < FIRST_YEAR + 64 * YEAR_WORDS else 64 * YEAR_WORDS - 1
    cdef uint64_t bits
    while at >= 0:
        bits = cron.years[at / 64] & up_to_bit(<int>(at % 64))
        if bits:
            return FIRST_YEAR + at / 64 * 64 + highest_bit(bits)
        at = at / 64 * 64 - 1
    return NEVER


cdef int64_t in_years_next(const cron_t *cron, int64_t wall_s) noexcept nogil:
    # From a match in any year to the first one in a year of the set; each step reaches a later year of it.
    cdef int64_t year, allowed
    while wall_s != NEVER:
        year = civil_from_days(floor_div(wall_s, 86400)).year
        allowed = year_from(cron, year)
        if allowed == year:
            break
        wall_s = NEVER if allowed == NEVER else any_year_next(cron, days_from_civil(allowed, 1, 1) * 86400)
    return wall_s


cdef int64_t in_years_prev(const cron_t *cron, int64_t wall_s) noexcept nogil:
    cdef int64_t year, allowed
    while wall_s != NEVER:
        year = civil_from_days(floor_div(wall_s, 86400)).year
        allowed = year_to(cron, year)
        if allowed == year:
            break
        wall_s = NEVER if allowed == NEVER else any_year_prev(cron, days_from_civil(allowed + 1, 1, 1) * 86400 - 1)
    return wall_s


cdef int64_t cron_wall_next(const cron_t *cron, int64_t wall_s) noexcept nogil:
    """The first match at or after a wall second, or NEVER."""
    wall_s = any_year_next(cron, wall_s)
    return wall_s if cron.years == NULL else in_years_next(cron, wall_s)


cdef int64_t cron_wall_prev(const cron_t *cron, int64_t wall_s) noexcept nogil:
    """The last match at or before a wall second, or NEVER."""
    wall_s = any_year_prev(cron, wall_s)
    return wall_s if cron.years == NULL else in_years_prev(cron, wall_s)


cdef int64_t reached(const zone_t *zone, segment_t segment) noexcept nogil:
    # The first wall second that no earlier segment has shown: past `begin` if the segment begins with a fold.
    cdef int64_t mark = -FAR, edge, horizon = segment.begin - 2 * MAX_OFFSET
    while segment.begin > -FAR and segment.begin > horizon:
        edge = segment.begin
        zone_earlier(zone, &segment)
        if edge + segment.offset > mark:
            mark = edge + segment.offset
    return mark


cdef int64_t cron_next(const cron_t *cron, const zone_t *zone, int64_t utc_s) noexcept nogil:
    """The first fire time strictly after an instant, in seconds, or NEVER."""
    cdef segment_t segment = zone_segment(zone, utc_s)
    cdef int64_t start = utc_s + segment.offset + 1
    cdef int64_t wall, mark, edge, before, begin
    cdef bint repeat = cron.flags & REPEAT
    if not repeat and utc_s - segment.begin < 2 * MAX_OFFSET:
        mark = reached(zone, segment)
        if mark > start:
            start = mark
    wall = cron_wall_next(cron, start)
    while wall - CYCLE_S <= start:
        if wall < segment.end + segment.offset:
            return wall - segment.offset
        edge = segment.end
        before = segment.offset
        zone_later(zone, &segment)
        begin = edge + segment.offset
        if segment.offset > before:
            if wall < begin:  # inside the gap
                if cron.flags & MOVE:
                    return edge
                wall = cron_wall_next(cron, begin)
        elif repeat:
            wall = cron_wall_next(cron, begin)
    return NEVER


cdef int64_t cron_prev(const cron_t *cron, const zone_t *zone, int64_t utc_s) noexcept nogil:
    """The last fire time strictly before an instant, in seconds, or NEVER."""
    cdef segment_t segment = zone_segment(zone, utc_s - 1)
    cdef int64_t end = utc_s - 1 + segment.offset  # inclusive, as `last`
    cdef int64_t wall = cron_wall_prev(cron, end), stop = end - CYCLE_S
    cdef int64_t floor, mark = -FAR, edge, after, last, wall_in_gap
    cdef bint repeat = cron.flags & REPEAT
    while wall != NEVER and wall >= stop:
        floor = segment.begin + segment.offset
        if not repeat:
            mark = reached(zone, segment)
            if mark > floor:
                floor = mark
        if wall >= floor:
            return wall - segment.offset
        if segment.begin == -FAR:
            break
        edge = segment.begin
        after = segment.offset
        zone_earlier(zone, &segment)
        if after > segment.offset and cron.flags & MOVE:
            if repeat or edge + segment.offset > mark:
                mark = edge + segment.offset
            wall_in_gap = cron_wall_prev(cron, edge + after - 1)
            if wall_in_gap != NEVER and wall_in_gap >= mark:
                return edge
        last = edge + segment.offset - 1
        if wall > last or last > end:
            wall = cron_wall_prev(cron, last)
        end = last
    return NEVER


@cython.final
@cython.freelist(16)
cdef class Cron:
    @staticmethod
    def of(
        *, uint64_t minute, uint32_t hour, uint32_t dom, uint16_t month, uint8_t dow, uint64_t second=1,
        uint32_t last=0, uint32_t nearest=0, uint64_t nth=0, bint last_weekday=False, bint either_day=False,
        bint wildcard=False, years=None,
    ):
        cdef Cron made = Cron.__new__(Cron)
        cdef int year
        if not second or second >> 60 or not minute or minute >> 60 or not hour or hour >> 24:
            raise ValueError("seconds and minutes are bits 0 to 59, hours bits 0 to 23, none of them empty")
        if dom & 1 or nearest & 1 or last >> 31 or month & 1 or not month or month >> 13 or dow >> 7 or nth >> 42:
            raise ValueError(
                "days are bits 1 to 31, days before the last 0 to 30, months 1 to 12, weekdays 0 to 6, "
                "nth six groups of 7 bits"
            )
        memset(&made.cron, 0, sizeof(cron_t))
        made.cron.second, made.cron.minute, made.cron.hour = second, minute, hour
        made.cron.dom, made.cron.month, made.cron.dow = dom, month, dow
        made.cron.last, made.cron.nearest, made.cron.nth = last, nearest, nth
        made.cron.flags = (
            (EITHER_DAY if either_day else 0) | (LAST_WEEKDAY if last_weekday else 0) | (WILDCARD if wildcard else 0)
        )
        if years is not None:
            for year in years:
                if not FIRST_YEAR <= year < FIRST_YEAR + 64 * YEAR_WORDS:
                    raise ValueError(f"years are {FIRST_YEAR} to {FIRST_YEAR + 64 * YEAR_WORDS - 1}, got {year}")
                made.years[(year - FIRST_YEAR) / 64] |= 1ULL << ((year - FIRST_YEAR) % 64)
            made.cron.years = made.years
        cron_prepare(&made.cron)
        return made

    def __eq__(self, other):
        cdef Cron one
        if type(other) is not Cron:
            return NotImplemented
        one = <Cron>other
        return (
            not memcmp(&self.cron, &one.cron, sizeof(cron_t) - sizeof(void *))  # `years` comes last
            and (self.cron.years == NULL) == (one.cron.years == NULL)
            and not memcmp(self.years, one.years, sizeof(self.years))
        )

    def __hash__(self):
        # What tells most expressions apart, spread by odd multipliers.
        cdef uint64_t mixed = self.cron.minute * 0x9e3779b97f4a7c15ULL + self.cron.hour
        mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9ULL + (<uint64_t>self.cron.dom << 32 | self.cron.last)
        mixed = (mixed ^ mixed >> 32) * 0x94d049bb133111ebULL + (<uint64_t>self.cron.month << 40 | self.cron.nearest)
        mixed = (mixed ^ mixed >> 31) * 0x9e3779b97f4a7c15ULL + self.cron.nth
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL + self.cron.second
        mixed = (mixed ^ mixed >> 28) * 0x94d049bb133111ebULL + (<uint64_t>self.cron.dow << 8 | self.cron.flags)
        mixed = (mixed ^ mixed >> 31) + self.years[0] + 3 * self.years[1] + 5 * self.years[2] + 7 * self.years[3]
        return <Py_hash_t><int64_t>mixed

    def __repr__(self):
        return f"<Cron {self.masks()}>"

    def masks(self):
        cdef int i
        years = []
        for i in range(64 * YEAR_WORDS):
            if self.years[i / 64] >> (i % 64) & 1:
                years.append(FIRST_YEAR + i)
        return {
            "second": self.cron.second, "minute": self.cron.minute, "hour": self.cron.hour, "dom": self.cron.dom,
            "month": self.cron.month, "dow": self.cron.dow, "last": self.cron.last, "nearest": self.cron.nearest,
            "nth": self.cron.nth, "last_weekday": self.cron.flags & LAST_WEEKDAY != 0,
            "either_day": self.cron.flags & EITHER_DAY != 0, "wildcard": self.cron.flags & WILDCARD != 0,
            "years": None if self.cron.years == NULL else tuple(years),
        }
