# Protobuf's wire format, as far as all messages share it: varints, tags, lengths, what is skipped, UTF-8. Bounds and
# leniencies are those of the generated classes. What reads returns the place behind what it read, or NULL.
from libc.stdint cimport uint32_t, uint64_t

ctypedef const unsigned char *place_t

cdef enum:
    DEPTH = 100            # messages and groups inside one another
    SIZE_MAX = 0x7fffffff  # of anything that is told by its length
    VARINT = 0             # wire types
    FIXED64 = 1
    DELIMITED = 2
    GROUP = 3
    GROUP_END = 4
    FIXED32 = 5


cdef inline place_t read_varint(place_t at, place_t end, uint64_t *value) noexcept nogil:
    cdef uint64_t found = 0
    cdef int shift = 0
    while at < end and shift < 70:
        found |= <uint64_t>(at[0] & 0x7f) << shift
        if at[0] < 0x80:
            value[0] = found
            return at + 1
        at += 1
        shift += 7
    return NULL


cdef inline place_t read_tag(place_t at, place_t end, uint32_t *tag) noexcept nogil:
    cdef uint64_t found = 0
    cdef place_t after
    if at < end and at[0] < 0x80:
        tag[0] = at[0]
        return at + 1
    after = read_varint(at, end, &found)
    if after == NULL or after - at > 5 or found >> 32 != 0:
        return NULL
    tag[0] = <uint32_t>found
    return after


cdef inline place_t read_size(place_t at, place_t end, Py_ssize_t *size) noexcept nogil:
    cdef uint64_t found = 0
    cdef place_t after
    if at < end and at[0] < 0x80:
        found = at[0]
        after = at + 1
    else:
        after = read_varint(at, end, &found)
        if after == NULL or after - at > 5 or found > SIZE_MAX:
            return NULL
    if <uint64_t>(end - after) < found:
        return NULL
    size[0] = <Py_ssize_t>found
    return after


cdef inline place_t skip(place_t at, place_t end, uint32_t tag, int depth) noexcept nogil:
    # `at` is behind the tag. Groups may lie inside one another `depth` times.
    cdef uint64_t value = 0
    cdef Py_ssize_t size = 0
    cdef uint32_t inner = 0, kind = tag & 7
    if kind == VARINT:
        return read_varint(at, end, &value)
    if kind == DELIMITED:
        at = read_size(at, end, &size)
        if at == NULL:
            return NULL
        return at + size
    if kind == FIXED64:
        if end - at < 8:
            return NULL
        return at + 8
    if kind == FIXED32:
        if end - at < 4:
            return NULL
        return at + 4
    if kind != GROUP or not depth:
        return NULL
    while True:
        at = read_tag(at, end, &inner)
        if at == NULL:
            return NULL
        if inner & 7 == GROUP_END:
            if inner >> 3 != tag >> 3:
                return NULL
            return at
        at = skip(at, end, inner, depth - 1)
        if at == NULL:
            return NULL


cdef inline Py_ssize_t characters(place_t at, Py_ssize_t size) noexcept nogil:
    # Of UTF-8 as Unicode defines it: no surrogates, nothing longer than it must be. -1: it is none.
    cdef place_t end = at + size
    cdef Py_ssize_t found = 0
    cdef int more
    cdef unsigned char first, low, high
    while at < end:
        first = at[0]
        at += 1
        found += 1
        if first < 0x80:
            continue
        low, high = 0x80, 0xbf
        if 0xc2 <= first <= 0xdf:
            more = 1
        elif 0xe0 <= first <= 0xef:
            more = 2
            if first == 0xe0:
                low = 0xa0
            elif first == 0xed:
                high = 0x9f
        elif 0xf0 <= first <= 0xf4:
            more = 3
            if first == 0xf0:
                low = 0x90
            elif first == 0xf4:
                high = 0x8f
        else:
            return -1
        if end - at < more or not low <= at[0] <= high:
            return -1
        at += 1
        while more > 1:
            if at[0] & 0xc0 != 0x80:
                return -1
            at += 1
            more -= 1
    return found


cdef inline Py_ssize_t size_of_varint(uint64_t value) noexcept nogil:
    cdef Py_ssize_t size = 1
    while value >= 0x80:
        value >>= 7
        size += 1
    return size


cdef inline unsigned char *write_varint(unsigned char *out, uint64_t value) noexcept nogil:
    while value >= 0x80:
        out[0] = <unsigned char>(value | 0x80)
        value >>= 7
        out += 1
    out[0] = <unsigned char>value
    return out + 1
