"""The answer to a batch of check-ins: from what was recorded of it to wire bytes, without an object for each.

Idea: a message for each report, in their order. Those that the kernel recorded are written from their row and from the
report's texts; those that went through the rules come serialised; the others are empty. What all messages of an answer
have in common, the client and the door, is made once.
Data: one buffer, as large as the answer could be at most, and cut when it is full.
Invariant: fields stand in the order of their numbers, as libraries write them.
Cost: about 100 ns a row.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from tocsin._core.batch cimport Batch, report_t
from tocsin._core.recorded cimport Recorded, check_in_t
from tocsin._core.types cimport LAST_MS, NEVER, floor_div
from tocsin._core.wire cimport place_t, size_of_varint, write_varint

cdef enum:
    UID = 32      # characters of an id
    FIXED = 320   # bytes of a message at most, without monitor, environment and what all have in common
    DEFAULT = 10  # characters of "production"

ctypedef unsigned char *out_t

cdef struct piece_t:
    place_t at  # NULL: there is none
    Py_ssize_t size

cdef struct common_t:
    piece_t before  # "projects/7/monitors/"
    piece_t after   # fields at the end of each message

cdef uint8_t[8] STATE_ON_WIRE  # CheckIn.State, by the number that is stored


cdef void fill_tables() noexcept:
    cdef int stored
    for stored, number in enumerate((6, 2, 3, 1, 4, 5, 7, 8)):
        STATE_ON_WIRE[stored] = number


fill_tables()


cdef inline out_t write_bytes(out_t out, const void *at, Py_ssize_t size) noexcept nogil:
    memcpy(out, at, size)
    return out + size


cdef inline out_t write_uid(out_t out, int64_t number) noexcept nogil:
    # As domain.ids.public_id: the digits of the number in the frame of a UUID.
    cdef const char *digits = "0123456789abcdef"
    cdef uint64_t left = <uint64_t>number
    cdef int place = 21
    memcpy(out, b"70c5........8...8.....0000000000", UID)
    while place > 3:
        if place != 12 and place != 16:
            out[place] = digits[left & 15]
            left >>= 4
        place -= 1
    return out + UID


cdef inline out_t write_span(out_t out, int64_t ms) noexcept nogil:
    # A Timestamp or a Duration with its length: seconds, then nanoseconds.
    cdef out_t size = out
    cdef int64_t seconds = floor_div(ms, 1000)
    cdef int64_t rest = ms - seconds * 1000
    out += 1
    if seconds:
        out[0] = 0x08
        out = write_varint(out + 1, <uint64_t>seconds)
    if rest:
        out[0] = 0x10
        out = write_varint(out + 1, <uint64_t>(rest * 1_000_000))
    size[0] = <unsigned char>(out - size - 1)
    return out


cdef inline out_t write_time(out_t out, unsigned char number, int64_t ms) noexcept nogil:
    # Of a field above 15; none when there is no such time.
    if ms == NEVER:
        return out
    out[0] = <unsigned char>(number << 3 | 0x82)
    out[1] = number >> 4
    return write_span(out + 2, min(ms, LAST_MS))


cdef out_t write_check_in(
    out_t out, const check_in_t *row, place_t text, const report_t *report, const common_t *common,
) noexcept nogil:
    cdef Py_ssize_t size = common.before.size + report.monitor_size + 10 + UID
    cdef out_t uid
    out[0] = 0x0a  # name
    out = write_varint(out + 1, size)
    out = write_bytes(out, common.before.at, common.before.size)
    out = write_bytes(out, text + report.monitor, report.monitor_size)
    out = write_bytes(out, b"/checkIns/", 10)
    uid = out
    out = write_uid(out, row.number)
    out[0] = 0x12
    out[1] = UID
    out = write_bytes(out + 2, uid, UID)
    if row.number:
        out[0] = 0x18
        out = write_varint(out + 1, <uint64_t>row.number)
    out[0] = 0x20
    out[1] = STATE_ON_WIRE[row.state]
    out[2] = 0x2a  # environment
    if report.environment_size:
        out = write_varint(out + 3, report.environment_size)
        out = write_bytes(out, text + report.environment, report.environment_size)
    else:
        out[3] = DEFAULT
        out = write_bytes(out + 4, b"production", DEFAULT)
    if row.end_time != NEVER:
        out[0] = 0x3a
        out = write_span(out + 1, min(row.end_time, LAST_MS))
    if row.duration >= 0:
        out[0] = 0x42
        out = write_span(out + 1, row.duration)
    out = write_time(out, 16, row.expected_time)
    out = write_time(out, 17, row.receive_time)
    out = write_time(out, 18, row.update_time)
    return write_bytes(out, common.after.at, common.after.size)


cdef out_t write_all(
    out_t out, Recorded recorded, Batch batch, const piece_t *own, const uint8_t *gone, Py_ssize_t places,
    const common_t *common,
) noexcept nogil:
    cdef check_in_t *row = recorded.rows
    cdef check_in_t *last = recorded.rows + recorded.size
    cdef uint32_t report = 0
    cdef Py_ssize_t place, size, width
    cdef out_t begin
    for place in range(places):
        out[0] = 0x0a
        if gone[place]:
            out[1] = 0
            out += 2
            continue
        if row < last and row.row == report:
            begin = out + 3  # as long as most lengths are two bytes
            size = write_check_in(begin, row, batch.text, &batch.reports[report], common) - begin
            width = size_of_varint(size)
            if width != 2:
                memmove(out + 1 + width, begin, size)
            out = write_varint(out + 1, size) + size
            row += 1
        elif own[report].at != NULL:
            out = write_varint(out + 1, own[report].size)
            out = write_bytes(out, own[report].at, own[report].size)
        else:
            out[1] = 0
            out += 2
        report += 1
    return out


@cython.internal
@cython.final
cdef class Workspace:
    cdef piece_t *own  # [reports + 1]
    cdef uint8_t *gone  # [places + 1]
    cdef unsigned char *answer

    def __cinit__(self, Py_ssize_t reports, Py_ssize_t places):
        self.own = <piece_t *>PyMem_RawCalloc(reports + 1, sizeof(piece_t))
        self.gone = <uint8_t *>PyMem_RawCalloc(places + 1, 1)
        if not self.own or not self.gone:
            raise MemoryError(f"no memory for an answer to {reports} reports")

    def __dealloc__(self):
        PyMem_RawFree(self.own)
        PyMem_RawFree(self.gone)
        PyMem_RawFree(self.answer)


cdef bytes field(unsigned char number, bytes text):
    # A text in a field above 15; nothing when it is empty.
    cdef unsigned char[16] head
    cdef out_t end
    if not text:
        return b""
    head[0] = <unsigned char>(number << 3 | 0x82)
    head[1] = number >> 4
    end = write_varint(&head[2], PyBytes_GET_SIZE(text))
    return head[:end - &head[0]] + text


def check_ins(
    Batch batch not None, Recorded recorded not None, dict own not None, gone, int64_t project, str dialect not None,
    str client not None,
):
    cdef bytes before = b"projects/%d/monitors/" % project
    cdef bytes after = field(22, dialect.encode()) + field(23, client.encode())
    cdef list left_out = list(gone), messages = list(own.items())  # kept while the GIL is not
    cdef Py_ssize_t places = <Py_ssize_t>batch.size + len(left_out), most = 0
    cdef Workspace space = Workspace(batch.size, places)
    cdef common_t common
    cdef uint32_t i, following = 0
    cdef Py_ssize_t place, row
    cdef check_in_t *written
    cdef out_t end
    for place in left_out:
        if not 0 <= place < places or space.gone[place]:
            raise ValueError(f"report {place} of {places} is left out")
        space.gone[place] = 1
        most += 2
    for i in range(recorded.size):
        written = &recorded.rows[i]
        if not following <= written.row < batch.size:
            raise ValueError(f"check-in {i} is of report {written.row}")
        following = written.row + 1
        most += FIXED + len(before) + len(after)
        most += batch.reports[written.row].monitor_size + batch.reports[written.row].environment_size
    for row, message in messages:
        if not 0 <= row < <Py_ssize_t>batch.size:
            raise ValueError(f"an answer of report {row} of {batch.size}")
        space.own[row].at = <place_t>PyBytes_AS_STRING(<bytes?>message)
        space.own[row].size = PyBytes_GET_SIZE(message)
        most += 6 + space.own[row].size
    most += 2 * <Py_ssize_t>batch.size
    common.before.at, common.before.size = <place_t>PyBytes_AS_STRING(before), PyBytes_GET_SIZE(before)
    common.after.at, common.after.size = <place_t>PyBytes_AS_STRING(after), PyBytes_GET_SIZE(after)
    space.answer = <unsigned char *>PyMem_RawMalloc(most + 1)
    if not space.answer:
        raise MemoryError(f"no memory for an answer of {most} bytes")
    with nogil:
        end = write_all(space.answer, recorded, batch, space.own, space.gone, places, &common)
    return PyBytes_FromStringAndSize(<char *>space.answer, end - space.answer)
