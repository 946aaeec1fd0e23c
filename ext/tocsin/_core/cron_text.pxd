# The text of a cron expression becomes a cron_t; see cron_text.pyx.
from tocsin._core.cron cimport cron_t

cdef enum:
    STAR_RULE = 0   # both day fields must match if either begins with `*` or is `?`; otherwise either is enough
    OR_RULE = 1     # either is enough, unless one of them admits every day
    AND_RULE = 2    # both must match

cdef struct refusal_t:
    int code        # 0: none
    int field       # second 0, minute, hour, day of month, month, day of week 5; -1: the expression as a whole
    int at          # where the offending text begins
    int length      # how long it is; of COUNT, the fields found

# `text[length]` must be readable and no digit, letter or sign: the zero that ends Python's strings.
# The cron must be zeroed; it is prepared when the answer is true.
cdef bint cron_text_read(
    const unsigned char *text, int length, int day_rule, cron_t *cron, refusal_t *refusal
) noexcept nogil
