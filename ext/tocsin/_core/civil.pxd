# Calendar arithmetic on integers; see civil.pyx. Inline, because every search of a cron expression runs through it.
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.types cimport floor_div

cdef struct date_t:
    int64_t year
    int month   # 1..12
    int day     # 1..31


cdef inline int64_t days_from_civil(int64_t year, int month, int day) noexcept nogil:
    # Years are counted from March, so that the leap day is the last of its year and month lengths follow one line:
    # the days before month m (March = 0) are (153 m + 2) / 5.
    cdef int64_t y = year - 1 if month <= 2 else year
    cdef int64_t era = floor_div(y, 400)
    cdef int64_t in_era = y - era * 400
    cdef int64_t m = month + 9 if month <= 2 else month - 3
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + day - 719469


cdef inline date_t civil_from_days(int64_t days) noexcept nogil:
    cdef int64_t z = days + 719468
    cdef int64_t era = floor_div(z, 146097)
    cdef uint32_t d = <uint32_t>(z - era * 146097)  # 0..146096
    # Taking away the leap days seen so far (every 1461, less those of the centuries) leaves whole years of 365.
    cdef uint32_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365
    cdef uint32_t in_year = d - (365 * y + y / 4 - y / 100)
    cdef uint32_t m = (5 * in_year + 2) / 153
    cdef date_t date
    date.day = in_year - (153 * m + 2) / 5 + 1
    date.month = m + 3 if m < 10 else m - 9
    date.year = era * 400 + y + (1 if m >= 10 else 0)
    return date


cdef inline int weekday_of(int64_t days) noexcept nogil:
    # 0 = Sunday; 1970-01-01 was a Thursday.
    return <int>(days + 4 - floor_div(days + 4, 7) * 7)


cdef inline int month_days(int64_t year, int month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 + ((month + (month >> 3)) & 1)


cdef int64_t days_plus_months(int64_t days, int64_t months) noexcept nogil
