"""Every kind of schedule by number, alone or a million at once.

Data: rows, see rows.pyx; a track holds a number only. What a row points to (zones, members, tables) lives as long as
the registry, except that a table is replaced whole when it must reach farther, and freed when no batch runs.
Invariant: every question is checked before a kernel sees it: the number is there, the instants are in range.
Tables: their fire times come from a function that is asked, with the GIL, when an answer lies beyond what is known.
Cost: see schedule.pyx; a call from Python is little more than an empty one.
"""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport int64_t, uint32_t, uintptr_t
from libc.string cimport memset

from tocsin._core.cron cimport MOVE, REPEAT, WILDCARD, Cron
from tocsin._core.interval cimport YEAR
from tocsin._core.rows cimport (
    BLOCKS, FIRST_BLOCK, NEXT, PREV, REARM, ask, ask_many, fill, is_instant, row_at, take,
)
from tocsin._core.schedule cimport (
    CRON, INTERVAL, ROLLING, STALE, TABLE, UNION, schedule_t, table_next, table_prev, table_t,
)
from tocsin._core.types cimport FIRST_MS, LAST_MS, NEVER, floor_div, highest_bit, instant_t
from tocsin._core.zone cimport Zone, zone_t

VIXIE, SKIP, BOTH, CRONITER = range(4)
MEMBERS_MAX = 1024
TABLE_MAX = 1_000_000  # fire times in one answer of a table's function
CENTURY_MS = 3_155_760_000_000  # 100 years, the longest step of an interval or a rolling period
UNITS_IN_CENTURY = (3_155_760_000, 52_596_000, 876_600, 36_525, 5_217, 1_200, 100)

globals().update(NEVER=NEVER, FIRST_MS=FIRST_MS, LAST_MS=LAST_MS)  # C constants, given to Python


@cython.final
cdef class Timetables:
    def __cinit__(self):
        cdef schedule_t row
        # Before Python 3.13 a pymutex is a pointer to a lock that Cython allocates, and does not check.
        if sizeof(self.lock) == sizeof(void *) and not (<void **>&self.lock)[0]:
            raise MemoryError
        self.zones = []
        self.crons = []
        self.covers = {}
        memset(&row, 0, sizeof(row))
        row.grid = 1
        self._append(row)

    def __dealloc__(self):
        cdef uint32_t number
        cdef schedule_t *row
        for number in range(self.rows.count):
            row = row_at(&self.rows, number)
            PyMem_Free(row.members)
            PyMem_RawFree(<void *>row.table)
        for number in range(BLOCKS):
            PyMem_RawFree(self.rows.blocks[number])
        self._forget()

    cdef void _forget(self) noexcept:
        # Frees the tables that no batch can still be reading.
        cdef table_t *table
        while self.retired:
            table = self.retired
            self.retired = table.retired
            PyMem_RawFree(table)

    def __len__(self):
        return self.rows.count

    cdef uint32_t _append(self, schedule_t row) except? 0xffffffff:
        cdef int block
        with self.lock:
            if self.rows.count >= 0x7fffffff:
                raise MemoryError("too many timetables")
            block = highest_bit(self.rows.count + (1U << FIRST_BLOCK)) - FIRST_BLOCK
            if not self.rows.blocks[block]:
                self.rows.blocks[block] = <schedule_t *>PyMem_RawCalloc(
                    <size_t>1 << (FIRST_BLOCK + block), sizeof(schedule_t)
                )
                if not self.rows.blocks[block]:
                    raise MemoryError(f"no memory for more than {self.rows.count} timetables")
            row_at(&self.rows, self.rows.count)[0] = row
            self.rows.count += 1
            return self.rows.count - 1

    cdef const zone_t *_zone(self, uint32_t number) except NULL:
        if number >= len(self.zones):
            raise IndexError(f"no zone {number}")
        return &(<Zone>self.zones[number]).zone

    cdef schedule_t *_row(self, uint32_t number, instant_t instant) except NULL:
        if number >= self.rows.count:
            raise IndexError(f"no timetable {number}")
        if not is_instant(instant):
            raise ValueError(f"instant {instant} is outside the years 1 to 9999")
        return row_at(&self.rows, number)

    def add_zone(self, Zone zone not None):
        self.zones.append(zone)
        return len(self.zones) - 1

    def add_cron(self, uint32_t zone, Cron cron not None, int policy=0):
        cdef schedule_t row
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
        numbers = []
        for time in times:
            cron = Cron.of(
                second=1 << (time % 60), minute=1 << (time // 60 % 60), hour=1 << (time // 3600),
                dom=0xfffffffe, month=0x1ffe, dow=0x7f,
            )
            numbers.append(self.add_cron(zone, cron, policy))
        return numbers[0] if len(numbers) == 1 else self.add_union(numbers)

    def add_interval(self, uint32_t zone, int64_t count, int unit, bint truncate_to_minute=False):
        cdef schedule_t row
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
        cdef schedule_t row
        memset(&row, 0, sizeof(row))
        if not 1 <= period_ms <= CENTURY_MS:
            raise ValueError(f"a period has 1 to {CENTURY_MS} ms")
        row.kind = ROLLING
        row.interval.count = period_ms
        return self._append(row)

    def add_union(self, numbers):
        cdef schedule_t row
        cdef schedule_t *child
        cdef uint32_t number, i
        memset(&row, 0, sizeof(row))
        members = []
        row.grid = 1
        for number in numbers:
            child = self._row(number, 0)
            row.grid = row.grid and child.grid
            if child.kind == UNION:  # flattened, so that a kernel never goes deeper than one level
                for i in range(child.count):
                    members.append(<uintptr_t>child.members[i])
            else:
                members.append(<uintptr_t>child)
        if not 1 <= len(members) <= MEMBERS_MAX:
            raise ValueError(f"a union has 1 to {MEMBERS_MAX} members, got {len(members)}")
        row.kind = UNION
        row.count = len(members)
        row.members = <schedule_t **>PyMem_Malloc(row.count * sizeof(schedule_t *))
        if not row.members:
            raise MemoryError
        for i in range(row.count):
            row.members[i] = <schedule_t *><uintptr_t>members[i]
        try:
            return self._append(row)
        except MemoryError:
            PyMem_Free(row.members)
            raise

    def add_table(self, cover not None):
        cdef schedule_t row
        cdef uint32_t number
        memset(&row, 0, sizeof(row))
        row.kind = TABLE
        row.grid = 1
        number = self._append(row)
        self.covers[<uintptr_t>row_at(&self.rows, number)] = cover
        return number

    cdef int _covering(self, schedule_t *row, int64_t utc_s) except -1:
        # Afterwards the table of the row knows utc_s < t.
        cdef table_t *table
        cdef int64_t low_s, high_s, before
        cdef const int64_t[::1] times
        cdef table_t *before_it
        cdef Py_ssize_t i
        if row.table and row.table.low_s <= utc_s < row.table.high_s:
            return 0
        low_s, high_s, times = self.covers[<uintptr_t>row](utc_s)
        if not FIRST_MS // 1000 - 1 <= low_s <= utc_s < high_s <= LAST_MS // 1000:
            raise ValueError(f"a table of {low_s} to {high_s} does not cover {utc_s}")
        if times.shape[0] > TABLE_MAX:
            raise ValueError(f"a table has at most {TABLE_MAX} times, got {times.shape[0]}")
        before = low_s
        for i in range(times.shape[0]):
            if not before < times[i] <= high_s:
                raise ValueError(f"time {times[i]} of a table does not come after {before} and by {high_s}")
            before = times[i]
        table = <table_t *>PyMem_RawMalloc(sizeof(table_t) + times.shape[0] * sizeof(int64_t))
        if not table:
            raise MemoryError(f"no memory for a table of {times.shape[0]} times")
        table.low_s, table.high_s, table.count = low_s, high_s, <uint32_t>times.shape[0]
        table.times = <int64_t *>(table + 1)
        for i in range(times.shape[0]):
            table.times[i] = times[i]
        if row.table:
            before_it = <table_t *>row.table
            before_it.retired = self.retired
            self.retired = before_it
        row.table = table
        if not self.running:
            self._forget()
        return 0

    cdef instant_t _stale(self, schedule_t *row, int question, instant_t one, instant_t other) except? -1:
        # The answer to a question that came back as STALE: every table it concerns is made to reach far enough.
        cdef instant_t best = NEVER, answer
        cdef int64_t probe
        cdef uint32_t i
        if question == REARM and row.kind == TABLE:
            one, question = (other - 1 if other > one else one), NEXT
        if row.kind == TABLE and question == NEXT:
            probe = floor_div(one, 1000)
            while True:
                self._covering(row, probe)
                answer = table_next(row.table, probe)
                if answer != STALE:
                    return answer
                probe = row.table.high_s
        if row.kind == TABLE:
            probe = -floor_div(-one, 1000)
            while probe > FIRST_MS // 1000:
                self._covering(row, probe - 2)  # a table from there holds the second before the probe
                answer = table_prev(row.table, probe)
                if answer != STALE:
                    return answer
                probe = row.table.low_s + 1
            return NEVER
        if row.kind != UNION:
            return ask(row, question, one, other, False)
        for i in range(row.count):
            answer = self._stale(row.members[i], question, one, other)
            if answer != NEVER and (best == NEVER or (answer > best if question == PREV else answer < best)):
                best = answer
        return best

    cdef inline instant_t _ask(self, uint32_t number, int question, instant_t one, instant_t other) except? -1:
        cdef schedule_t *row
        cdef bint caching
        cdef instant_t answer
        if number >= self.rows.count or not is_instant(one):
            self._row(number, one)  # raises
        row = row_at(&self.rows, number)
        caching = take(&self.caching)
        answer = ask(row, question, one, other, caching)
        if caching:
            self.caching = False
        return self._stale(row, question, one, other) if answer == STALE else answer

    cdef int _ask_many(
        self, int question, const uint32_t[::1] numbers, const int64_t[::1] ones, const int64_t[::1] others,
        int64_t[::1] out,
    ) except -1:
        cdef Py_ssize_t n = numbers.shape[0], i, asked, stale = 0
        cdef instant_t one, other
        cdef bint caching
        if ones.shape[0] != n or others.shape[0] != n or out.shape[0] != n:
            raise ValueError(f"{n} numbers, {min(ones.shape[0], others.shape[0])} instants and {out.shape[0]} results")
        if n == 0:
            return 0
        if &out[0] == &ones[0] or &out[0] == &others[0]:
            raise ValueError("the results need an array of their own")
        caching = take(&self.caching)
        self.running += 1
        with nogil:
            asked = ask_many(&self.rows, question, &numbers[0], &ones[0], &others[0], n, caching, &out[0], &stale)
        self.running -= 1
        if caching:
            self.caching = False
        if asked < n:
            self._row(numbers[asked], ones[asked])
            self._row(numbers[asked], others[asked])
            raise ValueError(f"row {asked} was changed in the middle of the batch")
        for i in range(n if stale else 0):
            if out[i] == STALE:  # checked again: a table's function may have changed them
                one, other = ones[i], others[i]
                self._row(numbers[i], other)
                out[i] = self._stale(self._row(numbers[i], one), question, one, other)
        return 0

    def is_grid(self, uint32_t number):
        return self._row(number, 0).grid != 0

    def next_after(self, uint32_t number, instant_t instant):
        return self._ask(number, NEXT, instant, NEVER)

    def prev_before(self, uint32_t number, instant_t instant):
        return self._ask(number, PREV, instant, NEVER)

    def rearm(self, uint32_t number, instant_t expected, instant_t judged):
        self._row(number, judged)
        return self._ask(number, REARM, expected, judged)

    def distance(self, uint32_t number, instant_t slot):
        cdef instant_t before = self._ask(number, PREV, slot, NEVER)
        return NEVER if before == NEVER else slot - before

    def upcoming(self, uint32_t number, instant_t instant, count, instant_t until=LAST_MS):
        cdef schedule_t *row = self._row(number, instant)
        cdef int64_t[256] times
        cdef Py_ssize_t got, i, room
        cdef bint caching
        self._row(number, until)
        if count < 0:
            raise ValueError(f"count {count} is negative")
        found = []
        while len(found) < count:
            room = min(256, count - len(found))
            caching = take(&self.caching)
            self.running += 1
            with nogil:
                got = fill(row, instant, until, caching, times, room)
            self.running -= 1
            if caching:
                self.caching = False
            for i in range(got):
                found.append(times[i])
            if got == room:
                instant = times[got - 1]
                continue
            # What stopped it: the end, or a table that another thread may have replaced meanwhile.
            instant = times[got - 1] if got else instant
            instant = self._ask(number, NEXT, instant, NEVER)
            if instant == NEVER or instant > until:
                break
            found.append(instant)
        return found

    def next_many(self, const uint32_t[::1] numbers, const int64_t[::1] instants, int64_t[::1] out):
        self._ask_many(NEXT, numbers, instants, instants, out)

    def prev_many(self, const uint32_t[::1] numbers, const int64_t[::1] instants, int64_t[::1] out):
        self._ask_many(PREV, numbers, instants, instants, out)

    def rearm_many(
        self, const uint32_t[::1] numbers, const int64_t[::1] expected, const int64_t[::1] judged, int64_t[::1] out
    ):
        self._ask_many(REARM, numbers, expected, judged, out)
