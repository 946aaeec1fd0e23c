"""From the text of a cron expression to bit masks, or to what is wrong with it and where.

Data: the bytes of the text, a table of character classes, and the `cron_t` that is filled. Nothing is allocated.
Five fields are read in one go; only what does not read so is counted: six fields begin with seconds.
Each byte is read once, word by word and item by item: a star, a value, a range, each with or without a step, or one of
the special days. A range with a step is a mask built by doubling, not by counting. Every place where reading stops must
be a comma, a blank or the end, so nothing is ever skipped.
Invariant: no byte past `text[length]` is read, because that zero is of no class. A byte above 127 is of none either.
Cost: 100 to 180 ns for a call from Python, the object that it makes included.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from tocsin._core.cron cimport EITHER_DAY, LAST_WEEKDAY, WILDCARD, Cron, cron_prepare, cron_t

STAR, OR, AND = STAR_RULE, OR_RULE, AND_RULE
LONGEST = LONGEST_TEXT
TOO_LONG, NICKNAME, COUNT, MISSING, VALUE, STEP, RANGE, NTH, ANY, BEFORE = range(1, 11)

cdef enum:
    LONGEST_TEXT = 1000
    BLANK = 1
    DIGIT = 2
    LETTER = 4
    SECOND = 0
    MINUTE = 1
    HOUR = 2
    DOM = 3
    MONTH = 4
    DOW = 5
    IS_TOO_LONG = 1    # the codes above, for C
    IS_NICKNAME = 2
    IS_COUNT = 3
    IS_MISSING = 4
    IS_VALUE = 5
    IS_STEP = 6
    IS_RANGE = 7
    IS_NTH = 8
    IS_ANY = 9
    IS_BEFORE = 10
    NAMES = 19
    NICKNAMES = 7

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(str text)
    void *PyUnicode_DATA(str text)

cdef extern from * nogil:
    """
    static const int tocsin_low[6] = {0, 0, 0, 1, 1, 0}, tocsin_high[6] = {59, 59, 23, 31, 12, 7};
    /* Months from 1, then weekdays from Sunday = 0. */
    static const char tocsin_names[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDECSUNMONTUEWEDTHUFRISAT";
    static const struct { const char *name, *text; } tocsin_nicknames[7] = {
        {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
        {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
    #define tocsin_nickname(i) tocsin_nicknames[i].name
    #define tocsin_meaning(i) tocsin_nicknames[i].text
    """
    const int[6] LOW "tocsin_low"
    const int[6] HIGH "tocsin_high"
    const char *NAME_TEXT "tocsin_names"
    const char *nickname "tocsin_nickname"(int i)
    const char *meaning "tocsin_meaning"(int i)

cdef uint8_t[256] CLASS
cdef uint32_t[NAMES] NAME


cdef void fill_tables() noexcept:
    cdef int i
    for i in range(256):
        CLASS[i] = BLANK if i == 32 or 9 <= i <= 13 else DIGIT if 48 <= i <= 57 else 0
        if 65 <= (i & 0xdf) <= 90 and i < 128:
            CLASS[i] = LETTER
    for i in range(NAMES):
        NAME[i] = NAME_TEXT[3 * i] << 16 | NAME_TEXT[3 * i + 1] << 8 | NAME_TEXT[3 * i + 2]


fill_tables()


cdef inline bint is_letter(unsigned char c, unsigned char capital) noexcept nogil:
    return c & 0xdf == capital


cdef inline bint ends_item(unsigned char c, int at, int length) noexcept nogil:
    return c == 44 or CLASS[c] & BLANK or at >= length


cdef inline int number_at(const unsigned char *text, int *at) noexcept nogil:
    # One to four digits; -1 if there are none or more.
    cdef int begin = at[0], value = 0
    while CLASS[text[at[0]]] & DIGIT and at[0] - begin < 5:
        value = value * 10 + text[at[0]] - 48
        at[0] += 1
    return value if 1 <= at[0] - begin <= 4 else -1


cdef inline int value_at(const unsigned char *text, int *at, int field) noexcept nogil:
    # A number or a name, within the field's bounds; otherwise -1.
    cdef const unsigned char *here = text + at[0]
    cdef uint32_t name
    cdef int i, value = -1
    if CLASS[here[0]] & DIGIT:
        value = number_at(text, at)
    elif field >= MONTH and CLASS[here[0]] & LETTER and CLASS[here[1]] & LETTER and CLASS[here[2]] & LETTER:
        name = (here[0] << 16 | here[1] << 8 | here[2]) & 0xdfdfdf
        at[0] += 3
        for i in range(0 if field == MONTH else 12, 12 if field == MONTH else NAMES):
            if NAME[i] == name:
                return i + 1 if field == MONTH else i - 12
    return value if LOW[field] <= value <= HIGH[field] else -1


cdef inline uint64_t stepped(int low, int high, int step) noexcept nogil:
    # Each round doubles how many bits are set, and their reach.
    cdef uint64_t mask = 1ULL << low
    while step <= high - low:
        mask |= mask << step
        step *= 2
    return mask & (~0ULL >> (63 - high))


cdef bint refuse(refusal_t *refusal, int code, int field, int at, int length) noexcept nogil:
    refusal.code, refusal.field, refusal.at, refusal.length = code, field, at, length
    return False


cdef bint refuse_item(
    const unsigned char *text, int length, int code, int field, int at, refusal_t *refusal
) noexcept nogil:
    # From `at` to the next comma or blank.
    cdef int stop = at
    while stop < length and text[stop] != 44 and not CLASS[text[stop]] & BLANK:
        stop += 1
    return refuse(refusal, code, field, at, stop - at)


cdef bint refuse_value(
    const unsigned char *text, int length, int field, int at, refusal_t *refusal
) noexcept nogil:
    # As far as one value goes: of 32W the number is wrong, of MOON#2 the name.
    cdef int stop = at
    cdef bint number = CLASS[text[at]] & DIGIT
    refuse_item(text, length, IS_VALUE, field, at, refusal)
    while stop < at + refusal.length and text[stop] not in (45, 47, 35):  # - / #
        if number and not CLASS[text[stop]] & DIGIT:
            break
        stop += 1
    refusal.length = stop - at
    return False


cdef inline bint read_field(
    const unsigned char *text, int length, int *place, int field, cron_t *cron, uint64_t *out, refusal_t *refusal
) noexcept nogil:
    # Plain values go to `out` as bits, special days to the cron. The place is left at the blank or the end.
    cdef uint64_t mask = 0
    cdef int at = place[0], item, begin, low, high, step
    cdef unsigned char c
    while True:
        item = at
        c = text[at]
        if c == 42:  # *
            at += 1
            low, high = LOW[field], HIGH[field]
        elif CLASS[c] & (DIGIT | LETTER) and not (field == DOM and is_letter(c, 76)):
            low = high = value_at(text, &at, field)
            if low < 0:
                return refuse_value(text, length, field, item, refusal)
            c = text[at]
            if c == 45:  # -
                at += 1
                begin = at
                high = value_at(text, &at, field)
                if high < 0:
                    return refuse_value(text, length, field, begin, refusal)
                if high < low:
                    return refuse(refusal, IS_RANGE, field, item, at - item)
            elif c == 47:  # /
                high = HIGH[field]
            elif field == DOM and is_letter(c, 87):  # 15W
                at += 1
                cron.nearest |= 1U << low
                low = -1
            elif field == DOW and is_letter(c, 76):  # 5L
                at += 1
                cron.nth |= 1ULL << (35 + low % 7)
                low = -1
            elif field == DOW and c == 35:  # MON#2, MON#L
                at += 1
                c = text[at]
                if not 49 <= c <= 53 and not is_letter(c, 76) or not ends_item(text[at + 1], at + 1, length):
                    return refuse_item(text, length, IS_NTH, field, at, refusal)
                cron.nth |= 1ULL << ((35 if is_letter(c, 76) else 7 * (c - 49)) + low % 7)
                at += 1
                low = -1
        elif field == DOM and is_letter(c, 76):  # L, LW, L-3
            at += 1
            low = -1
            if is_letter(text[at], 87):
                at += 1
                cron.flags |= LAST_WEEKDAY
            elif text[at] == 45:
                at += 1
                begin = at
                step = number_at(text, &at)
                if not 1 <= step <= 30:
                    return refuse_item(text, length, IS_BEFORE, field, begin, refusal)
                cron.last |= 1U << step
            else:
                cron.last |= 1
        elif c == 63:  # ?
            at += 1
            if field != DOM and field != DOW or item != place[0] or text[at] == 44 or not ends_item(
                text[at], at, length
            ):
                return refuse(refusal, IS_ANY, field, item, 1)
            low, high = LOW[field], HIGH[field]
        elif ends_item(c, at, length):
            return refuse(refusal, IS_MISSING, field, at, 0)
        else:
            return refuse_value(text, length, field, item, refusal)
        if low >= 0:
            if text[at] == 47:
                at += 1
                begin = at
                step = number_at(text, &at)
                if step < 1 or not ends_item(text[at], at, length):
                    return refuse_item(text, length, IS_STEP, field, begin, refusal)
                mask |= stepped(low, high, step)
            else:
                mask |= (~0ULL << low) & (~0ULL >> (63 - high))
        if text[at] != 44:
            break
        at += 1
    if not ends_item(text[at], at, length):
        return refuse_item(text, length, IS_VALUE, field, item, refusal)
    out[0] = mask
    place[0] = at
    return True


cdef bint read_fields(
    const unsigned char *text, int length, int first, int day_rule, cron_t *cron, refusal_t *refusal
) noexcept nogil:
    # The fields from `first` to the day of week, one word each: there are as many words.
    cdef uint64_t mask[6]
    cdef unsigned char head[6]
    cdef int at = 0, field, value, stop
    cdef bint starred
    mask[SECOND] = 1
    for field in range(first, 6):
        while CLASS[text[at]] & BLANK:
            at += 1
        head[field] = text[at]
        # The two commonest words, a star and a number, without the rest.
        if text[at] == 42 and (CLASS[text[at + 1]] & BLANK or at + 1 == length):
            mask[field] = (~0ULL << LOW[field]) & (~0ULL >> (63 - HIGH[field]))
            at += 1
            continue
        if CLASS[text[at]] & DIGIT:
            value, stop = text[at] - 48, at + 1
            if CLASS[text[stop]] & DIGIT:
                value, stop = value * 10 + text[stop] - 48, stop + 1
            if (CLASS[text[stop]] & BLANK or stop == length) and LOW[field] <= value <= HIGH[field]:
                mask[field] = 1ULL << value
                at = stop
                continue
        if not read_field(text, length, &at, field, cron, &mask[field], refusal):
            return False
    cron.second, cron.minute, cron.hour = mask[SECOND], mask[MINUTE], <uint32_t>mask[HOUR]
    cron.dom, cron.month = <uint32_t>mask[DOM], <uint16_t>mask[MONTH]
    cron.dow = <uint8_t>((mask[DOW] | mask[DOW] >> 7) & 0x7f)
    if head[MINUTE] == 42 or head[HOUR] == 42:
        cron.flags |= WILDCARD
    if day_rule == STAR_RULE:
        starred = head[DOM] == 42 or head[DOM] == 63 or head[DOW] == 42 or head[DOW] == 63
    else:
        starred = day_rule == AND_RULE or cron.dom == 0xfffffffeU or cron.dow == 0x7f
    if not starred:
        cron.flags |= EITHER_DAY
    while CLASS[text[at]] & BLANK:
        at += 1
    if at < length:
        return refuse(refusal, IS_COUNT, -1, at, 0)
    cron_prepare(cron)
    return True


cdef bint read_nickname(
    const unsigned char *text, int length, int at, cron_t *cron, refusal_t *refusal
) noexcept nogil:
    cdef int i, k, end = length
    while CLASS[text[end - 1]] & BLANK:
        end -= 1
    for i in range(NICKNAMES):
        k = 0
        while at + k < end and nickname(i)[k]:
            if nickname(i)[k] != (text[at + k] | 32 if CLASS[text[at + k]] & LETTER else text[at + k]):
                break
            k += 1
        if at + k == end and not nickname(i)[k]:
            return read_fields(<const unsigned char *>meaning(i), 9, MINUTE, STAR_RULE, cron, refusal)
    return refuse(refusal, IS_NICKNAME, -1, at, end - at)


cdef bint cron_text_read(
    const unsigned char *text, int length, int day_rule, cron_t *cron, refusal_t *refusal
) noexcept nogil:
    """Fills `cron`, which must be all zeros, and answers true, or fills `refusal` and answers false."""
    if read_fields(text, length, MINUTE, day_rule, cron, refusal):
        return True
    memset(cron, 0, sizeof(cron_t))
    return read_others(text, length, day_rule, cron, refusal)


cdef bint read_others(
    const unsigned char *text, int length, int day_rule, cron_t *cron, refusal_t *refusal
) noexcept nogil:
    # What is not five good fields: six, a nickname, or wrong.
    cdef int at, words = 0, seventh, _
    cdef bint blank, before = True
    for at in range(length):
        blank = CLASS[text[at]] & BLANK
        words += before and not blank
        before = blank
    if words == 6 and read_fields(text, length, SECOND, day_rule, cron, refusal):
        return True
    at = 0
    while CLASS[text[at]] & BLANK:
        at += 1
    if text[at] == 64:  # @
        memset(cron, 0, sizeof(cron_t))
        return read_nickname(text, length, at, cron, refusal)
    if words == 5 or words == 6:  # the refusal is the one of the last reading
        return False
    seventh = length
    if words > 6:
        seventh = at
        for _ in range(6):
            while not CLASS[text[seventh]] & BLANK:
                seventh += 1
            while CLASS[text[seventh]] & BLANK:
                seventh += 1
    return refuse(refusal, IS_COUNT, -1, seventh, words)


class Refused(ValueError):
    def __init__(self, code, field, position, length):
        super().__init__(f"refused with code {code} in field {field} at {position}")
        self.code = code
        self.field = field
        self.position = position
        self.length = length


def parse(str text not None, int day_rule=STAR_RULE):
    cdef Cron made = Cron.__new__(Cron)
    cdef refusal_t refusal
    cdef Py_ssize_t length = len(text), i
    cdef bytes narrow
    cdef const unsigned char *data
    if not STAR_RULE <= day_rule <= AND_RULE:
        raise ValueError(f"no rule {day_rule} for the day fields")
    if length > LONGEST_TEXT:
        raise Refused(TOO_LONG, -1, LONGEST_TEXT, 0)
    if PyUnicode_IS_ASCII(text):
        data = <const unsigned char *>PyUnicode_DATA(text)
    else:  # one byte a character all the same, so that positions stay right
        wide = bytearray(length)
        for i in range(length):
            wide[i] = min(ord(text[i]), 255)
        narrow = bytes(wide)
        data = narrow
    if not cron_text_read(data, <int>length, day_rule, &made.cron, &refusal):
        raise Refused(refusal.code, refusal.field, refusal.at, refusal.length)
    return made
