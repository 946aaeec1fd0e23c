"""Every kind of schedule behind three questions: what comes next, what came before, where to go on after a miss.

Data: one row for each distinct schedule, known by its number; a track holds that number only. A union's children are a
run of `members`, always plain rows, so nothing here recurses more than once.
Invariant: next is strictly after, prev strictly before; the slots of cron rows are whole seconds. Row 0 is never due.
Window cache: between two fire times next(t) does not change, so each cron row keeps the window it answered for last.
At the top of the hour every due monitor of one schedule shares one search.
Cost: 1-6 ns on a hit of the window, 20-100 ns on a miss.
"""
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from tocsin._core.cron cimport MOVE, REPEAT, WILDCARD, Cron, cron_next, cron_prev
from tocsin._core.interval cimport YEAR, interval_next, interval_prev, interval_rearm
from tocsin._core.types cimport FIRST_MS, LAST_MS, NEVER, floor_div, instant_t
from tocsin._core.zone cimport Zone, zone_t

VIXIE, SKIP, BOTH, CRONITER = range(4)
MEMBERS_MAX = 1024
CENTURY_MS = 3_155_760_000_000  # 100 years, the longest step of an interval or a rolling period
UNITS_IN_CENTURY = (3_155_760_000, 52_596_000, 876_600, 36_525, 5_217, 1_200, 100)

globals().update(NEVER=NEVER, FIRST_MS=FIRST_MS, LAST_MS=LAST_MS)  # C constants, given to Python

cdef instant_t plain_next(timetable_t *row, instant_t instant) noexcept nogil:
    cdef int64_t seconds
    if row.kind == CRON:
        if row.low <= instant < row.high:
            return row.high
        seconds = cron_next(&row.cron, row.zone, floor_div(instant, 1000))
        if seconds > LAST_MS / 1000:
            return NEVER
        row.high = seconds * 1000
        row.low = instant
        return row.high
    if row.kind == INTERVAL:
        return interval_next(&row.interval, row.zone, instant)
    if row.kind == ROLLING and instant + row.interval.count <= LAST_MS:
        return instant + row.interval.count
    return NEVER


cdef instant_t plain_prev(const timetable_t *row, instant_t instant) noexcept nogil:
    cdef int64_t seconds
    if row.kind == CRON:
        seconds = cron_prev(&row.cron, row.zone, -floor_div(-instant, 1000))
        return NEVER if seconds == NEVER or seconds < FIRST_MS / 1000 else seconds * 1000
    if row.kind == INTERVAL:
        return interval_prev(&row.interval, row.zone, instant)
    if row.kind == ROLLING and instant - row.interval.count >= FIRST_MS:
        return instant - row.interval.count
    return NEVER


cdef instant_t plain_rearm(timetable_t *row, instant_t expected, instant_t judged) noexcept nogil:
    cdef int64_t steps
    if row.kind == CRON:
        # Never the expected slot again, even with no margin at all.
        return plain_next(row, judged - 1 if judged > expected else expected)
    if row.kind == INTERVAL:
        return interval_rearm(&row.interval, row.zone, expected, judged)
    if row.kind == ROLLING:
        steps = (judged - expected + row.interval.count - 1) / row.interval.count if judged > expected else 1
        expected += steps * row.interval.count
        return expected if expected <= LAST_MS else NEVER
    return NEVER


cdef instant_t timetable_next(timetables_t *all, uint32_t number, instant_t instant) noexcept nogil:
    """The next time strictly after `instant`: of a grid its next slot, of an interval one step from the instant."""
    cdef timetable_t *row = &all.rows[number]
    cdef instant_t best = NEVER, one
    cdef uint32_t i
    if instant == NEVER:
        return NEVER
    if row.kind != UNION:
        return plain_next(row, instant)
    for i in range(row.count):
        one = plain_next(&all.rows[all.members[row.first + i]], instant)
        best = one if one < best else best
    return best


cdef instant_t timetable_prev(const timetables_t *all, uint32_t number, instant_t instant) noexcept nogil:
    """The last time strictly before `instant`, or NEVER if there is none."""
    cdef const timetable_t *row = &all.rows[number]
    cdef instant_t best = NEVER, one
    cdef uint32_t i
    if instant == NEVER:
        return NEVER
    if row.kind != UNION:
        return plain_prev(row, instant)
    for i in range(row.count):
        one = plain_prev(&all.rows[all.members[row.first + i]], instant)
        if one != NEVER and (best == NEVER or one > best):
            best = one
    return best


cdef instant_t timetable_rearm(
    timetables_t *all, uint32_t number, instant_t expected, instant_t judged
) noexcept nogil:
    """After the miss of `expected`, judged at `judged`: the first slot after the one and not before the other."""
    cdef timetable_t *row = &all.rows[number]
    cdef instant_t best = NEVER, one
    cdef uint32_t i
    if expected == NEVER or judged == NEVER:
        return NEVER
    if row.kind != UNION:
        return plain_rearm(row, expected, judged)
    for i in range(row.count):
        one = plain_rearm(&all.rows[all.members[row.first + i]], expected, judged)
        best = one if one < best else best
    return best


cdef class Timetables:
    def __cinit__(self):
        cdef timetable_t row
        self.zones = []
        self.crons = []
        memset(&row, 0, sizeof(row))
        row.grid = 1
        self._append(row)

    def __dealloc__(self):
        PyMem_Free(self.all.rows)
        PyMem_Free(self.all.members)

    def __len__(self):
        return self.all.count

    cdef uint32_t _append(self, timetable_t row) except? 0xffffffff:
        cdef uint32_t capacity
        cdef void *grown
        if self.all.count == self.all.capacity:
            if self.all.capacity > 0x3fffffff:
                raise MemoryError("too many timetables")
            capacity = self.all.capacity * 2 if self.all.capacity else 16
            with self.lock:
                grown = PyMem_Realloc(self.all.rows, capacity * sizeof(timetable_t))
                if not grown:
                    raise MemoryError
                self.all.rows = <timetable_t *>grown
                self.all.capacity = capacity
        row.low = row.high = 0
        self.all.rows[self.all.count] = row
        self.all.count += 1
        return self.all.count - 1

    cdef const zone_t *_zone(self, uint32_t number) except NULL:
        if number >= len(self.zones):
            raise IndexError(f"no zone {number}")
        return &(<Zone>self.zones[number]).zone

    cdef int _check(self, uint32_t number, instant_t instant) except -1:
        if number >= self.all.count:
            raise IndexError(f"no timetable {number}")
        if instant != NEVER and not FIRST_MS <= instant <= LAST_MS:
            raise ValueError(f"instant {instant} is outside the years 1 to 9999")
        return 0

    def add_zone(self, Zone zone not None):
        self.zones.append(zone)
        return len(self.zones) - 1

    def add_cron(self, uint32_t zone, Cron cron not None, int policy=0):
        cdef timetable_t row
        cdef bint wildcard = cron.cron.flags & WILDCARD
        memset(&row, 0, sizeof(row))
        if not cron.cron.month:
            raise ValueError("an empty Cron")
        if not 0 <= policy <= 3:
            raise ValueError(f"no daylight policy {policy}")
        row.cron = cron.cron
        if policy == 2 or policy == 3 or (policy == 0 and wildcard):
            row.cron.flags |= REPEAT
        if (policy == 3 and cron.cron.hour != 0xffffff) or (policy == 0 and not wildcard):
            row.cron.flags |= MOVE
        if cron.cron.years:
            self.crons.append(cron)  # owns the years that the row points to
        row.kind = CRON
        row.grid = 1
        row.zone = self._zone(zone)
        return self._append(row)

    def add_daily(self, uint32_t zone, seconds_of_day, int policy=0):
        times = sorted(set(seconds_of_day))
        if not times or times[0] < 0 or times[len(times) - 1] >= 86400 or len(times) > MEMBERS_MAX:
            raise ValueError(f"a day has 1 to {MEMBERS_MAX} times from 0 to 86399 seconds")
        numbers = [
            self.add_cron(
                zone,
                Cron.of(
                    second=1 << (time % 60), minute=1 << (time // 60 % 60), hour=1 << (time // 3600),
                    dom=0xfffffffe, month=0x1ffe, dow=0x7f,
                ),
                policy,
            )
            for time in times
        ]
        return numbers[0] if len(numbers) == 1 else self.add_union(numbers)

    def add_interval(self, uint32_t zone, int64_t count, int unit, bint truncate_to_minute=False):
        cdef timetable_t row
        memset(&row, 0, sizeof(row))
        if not 0 <= unit <= YEAR:
            raise ValueError(f"no unit {unit}")
        if not 1 <= count <= UNITS_IN_CENTURY[unit]:
            raise ValueError(f"an interval has 1 to {UNITS_IN_CENTURY[unit]} of these units, which are 100 years")
        row.kind = INTERVAL
        row.interval.count, row.interval.unit, row.interval.truncate = count, unit, truncate_to_minute
        row.zone = self._zone(zone)
        return self._append(row)

    def add_rolling(self, int64_t period_ms):
        cdef timetable_t row
        memset(&row, 0, sizeof(row))
        if not 1 <= period_ms <= CENTURY_MS:
            raise ValueError(f"a period has 1 to {CENTURY_MS} ms")
        row.kind = ROLLING
        row.interval.count = period_ms
        return self._append(row)

    def add_union(self, numbers):
        cdef timetable_t row
        cdef timetable_t *child
        cdef uint32_t number, capacity, i
        cdef void *grown
        memset(&row, 0, sizeof(row))
        members = []
        row.grid = 1
        for number in numbers:
            if number >= self.all.count:
                raise IndexError(f"no timetable {number}")
            child = &self.all.rows[number]
            row.grid = row.grid and child.grid
            if child.kind == UNION:  # flattened, so that a kernel never goes deeper than one level
                members.extend([self.all.members[child.first + i] for i in range(child.count)])
            else:
                members.append(number)
        if not 1 <= len(members) <= MEMBERS_MAX:
            raise ValueError(f"a union has 1 to {MEMBERS_MAX} members, got {len(members)}")
        if self.all.member_count + len(members) > self.all.member_capacity:
            capacity = 2 * self.all.member_capacity + MEMBERS_MAX
            with self.lock:
                grown = PyMem_Realloc(self.all.members, capacity * sizeof(uint32_t))
                if not grown:
                    raise MemoryError
                self.all.members = <uint32_t *>grown
                self.all.member_capacity = capacity
        row.kind = UNION
        row.first, row.count = self.all.member_count, len(members)
        for number in members:
            self.all.members[self.all.member_count] = number
            self.all.member_count += 1
        return self._append(row)

    def is_grid(self, uint32_t number):
        self._check(number, 0)
        return self.all.rows[number].grid != 0

    def next_after(self, uint32_t number, instant_t instant):
        self._check(number, instant)
        with self.lock:
            return timetable_next(&self.all, number, instant)

    def prev_before(self, uint32_t number, instant_t instant):
        self._check(number, instant)
        return timetable_prev(&self.all, number, instant)

    def rearm(self, uint32_t number, instant_t expected, instant_t judged):
        self._check(number, expected)
        self._check(number, judged)
        with self.lock:
            return timetable_rearm(&self.all, number, expected, judged)

    def distance(self, uint32_t number, instant_t slot):
        cdef instant_t before
        self._check(number, slot)
        before = timetable_prev(&self.all, number, slot)
        return NEVER if before == NEVER else slot - before

    def upcoming(self, uint32_t number, instant_t instant, int count):
        self._check(number, instant)
        if count < 0:
            raise ValueError(f"count {count} is negative")
        found = []
        with self.lock:
            while len(found) < count:
                instant = timetable_next(&self.all, number, instant)
                if instant == NEVER:
                    break
                found.append(instant)
        return found

    def next_many(self, const uint32_t[::1] numbers, const int64_t[::1] instants, int64_t[::1] out):
        cdef Py_ssize_t n = numbers.shape[0], i
        if instants.shape[0] != n or out.shape[0] != n:
            raise ValueError(f"{n} numbers, {instants.shape[0]} instants and {out.shape[0]} results")
        for i in range(n):
            self._check(numbers[i], instants[i])
        with nogil, self.lock:
            for i in range(n):
                out[i] = timetable_next(&self.all, numbers[i], instants[i])
