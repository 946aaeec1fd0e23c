"""From the wire bytes of a batch of reports to rows, without an object for each.

Idea: two passes. The first reads the outer message, finds its ends and counts the rows; the second reads the rows. A
row is *simple* when it has a name in one of the forms that are given, a state and a kind that agree, an environment, a
duration, and nothing else that the contract knows. Every other row, a broken one among them, is flagged REST: the
generated class judges that row alone, so that meaning and errors come from one place.
Data: places in the request itself; nothing is copied.
Invariant: nothing outside of the request is read. What is malformed in the outer message is known by its offset; what
is malformed in a row is always REST. A simple row is one that the generated class reads to the same report.
Cost: 20 to 60 ns a row.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from tocsin._core.batch cimport ALONE, BEAT, OK, REST, Batch, report_t
from tocsin._core.wire cimport (
    DELIMITED, DEPTH, SIZE_MAX, VARINT, characters, place_t, read_size, read_tag, read_varint, size_of_varint, skip,
    write_varint,
)

# The highest field numbers that are not unknown here; a test compares them with the contract.
FIELDS = {
    "tocsin.v1.CreateCheckInRequest": REPORT_FIELDS,
    "tocsin.v1.CheckIn": CHECK_IN_FIELDS,
    "tocsin.v1.SendHeartbeatRequest": HEARTBEAT_FIELDS,
}

cdef enum:
    REPORT_FIELDS = 6
    CHECK_IN_FIELDS = 24
    HEARTBEAT_FIELDS = 5
    MONITOR_MAX = 128      # bytes of an id; longer ones are left to the rules
    ENVIRONMENT_MAX = 64   # characters
    FORMS = 4
    NO_KIND = 255
    SAID_NAME = 1          # what a row has said already: a second time is for the generated class
    SAID_CHECK_IN = 2
    SAID_KIND = 4
    SAID_ALONE = 8
    SAID_STATE = 16
    SAID_ENVIRONMENT = 32
    SAID_DURATION = 64
    SAID_SECONDS = 128
    SAID_NANOS = 256

cdef struct shape_t:  # field numbers of the outer message; 0: it has no such field
    uint32_t parent
    uint32_t requests
    uint32_t partial
    uint32_t sequence
    bint heartbeats

cdef struct head_t:
    place_t parent
    Py_ssize_t parent_size
    uint64_t sequence
    bint partial
    Py_ssize_t count

cdef struct forms_t:  # beginnings of names, up to the monitor's id
    place_t[FORMS] text
    Py_ssize_t[FORMS] size
    int count

cdef uint8_t[256] IN_ID  # bytes that an id may hold here; 0 ends it
cdef uint8_t[8] KIND_OF_STATE  # by CheckIn.State, which is what a state alone means
cdef uint8_t[7] STATE_OF_KIND  # by CreateCheckInRequest.Kind


cdef void fill_tables() noexcept:
    cdef int i
    for i in range(256):
        IN_ID[i] = 0x21 <= i <= 0x7e and i != 0x2f
    for i in range(8):
        KIND_OF_STATE[i] = NO_KIND
    for i, kind in ((1, 0), (2, 2), (3, 3), (7, 5)):  # in progress, OK, error, note
        KIND_OF_STATE[i] = kind
    for i, state in enumerate((0, 1, 1, 2, 3, 2, 7)):  # none, start, beat, OK, error, reset, note
        STATE_OF_KIND[i] = state


fill_tables()


class Malformed(ValueError):
    def __init__(self, offset):
        super().__init__(f"malformed at byte {offset}")
        self.offset = offset


# --- rows: each is true for what is simple


cdef bint read_name(place_t text, place_t at, Py_ssize_t size, const forms_t *forms, report_t *out) noexcept nogil:
    cdef Py_ssize_t left, i
    cdef int form
    for form in range(forms.count):
        left = size - forms.size[form]
        if not 0 < left <= MONITOR_MAX or memcmp(at, forms.text[form], forms.size[form]) != 0:
            continue
        at += forms.size[form]
        if left == 1 and at[0] == 0x2d:
            return False  # "-" names no monitor
        for i in range(left):
            if not IN_ID[at[i]]:
                return False
        out.monitor = <uint32_t>(at - text)
        out.monitor_size = <uint16_t>left
        return True
    return False


cdef bint read_environment(place_t text, place_t at, Py_ssize_t size, report_t *out) noexcept nogil:
    # As domain.names.check_environment.
    cdef Py_ssize_t i
    cdef unsigned char all_bits = 0
    if size > 4 * ENVIRONMENT_MAX:
        return False
    for i in range(size):
        if at[i] == 0 or at[i] == 0x0a or at[i] == 0x0c or at[i] == 0x0d or at[i] == 0x2f:
            return False
        all_bits |= at[i]
    if all_bits < 0x80:
        if size > ENVIRONMENT_MAX:
            return False
    elif not 0 < characters(at, size) <= ENVIRONMENT_MAX:
        return False
    out.environment = <uint32_t>(at - text)
    out.environment_size = <uint16_t>size
    return True


cdef bint read_duration(place_t at, place_t end, report_t *out) noexcept nogil:
    # Rounded up to milliseconds, as wire.time.to_millis.
    cdef uint64_t value, seconds = 0, nanos = 0, millis
    cdef uint32_t said = 0
    cdef unsigned char tag
    while at < end:
        tag = at[0]
        at = read_varint(at + 1, end, &value)
        if at == NULL:
            return False
        if tag == 0x08 and not said & SAID_SECONDS:
            said |= SAID_SECONDS
            seconds = value
        elif tag == 0x10 and not said & SAID_NANOS:
            said |= SAID_NANOS
            nanos = value
        else:
            return False
    if seconds > 0x7fffffff // 1000 or nanos > 999_999_999:
        return False
    millis = seconds * 1000 + (nanos + 999_999) // 1_000_000
    if millis > 0x7fffffff:
        return False
    out.duration = <int32_t>millis
    return True


cdef bint pass_unknown(place_t *at, place_t end, uint32_t known) noexcept nogil:
    # A field of a number that the contract does not know, nor a group of it.
    cdef uint32_t tag
    at[0] = read_tag(at[0], end, &tag)
    if at[0] == NULL or tag >> 3 <= known:
        return False
    at[0] = skip(at[0], end, tag, 0)
    return at[0] != NULL


cdef bint read_run(
    place_t text, place_t at, place_t end, uint32_t *said, uint64_t *state, report_t *out,
) noexcept nogil:
    # What a CheckIn says.
    cdef Py_ssize_t size
    cdef unsigned char tag
    while at < end:
        tag = at[0]
        if tag == 0x20 and not said[0] & SAID_STATE:
            said[0] |= SAID_STATE
            at = read_varint(at + 1, end, state)
            if at == NULL:
                return False
        elif tag == 0x2a and not said[0] & SAID_ENVIRONMENT:
            said[0] |= SAID_ENVIRONMENT
            at = read_size(at + 1, end, &size)
            if at == NULL or not read_environment(text, at, size, out):
                return False
            at += size
        elif tag == 0x42 and not said[0] & SAID_DURATION:
            said[0] |= SAID_DURATION
            at = read_size(at + 1, end, &size)
            if at == NULL or not read_duration(at, at + size, out):
                return False
            at += size
        elif not pass_unknown(&at, end, CHECK_IN_FIELDS):
            return False
    return True


cdef bint read_check_in(
    place_t text, place_t at, place_t end, const forms_t *forms, report_t *out,
) noexcept nogil:
    # A CreateCheckInRequest. A name that it does not have stays empty.
    cdef uint64_t state = 0, kind = 0, alone = 0
    cdef Py_ssize_t size
    cdef uint32_t said = 0
    cdef unsigned char tag
    while at < end:
        tag = at[0]
        if tag == 0x0a and not said & SAID_NAME:
            said |= SAID_NAME
            at = read_size(at + 1, end, &size)
            if at == NULL or (size and not read_name(text, at, size, forms, out)):
                return False
            at += size
        elif tag == 0x12 and not said & SAID_CHECK_IN:
            said |= SAID_CHECK_IN
            at = read_size(at + 1, end, &size)
            if at == NULL or not read_run(text, at, at + size, &said, &state, out):
                return False
            at += size
        elif tag == 0x20 and not said & SAID_KIND:
            said |= SAID_KIND
            at = read_varint(at + 1, end, &kind)
            if at == NULL:
                return False
        elif tag == 0x30 and not said & SAID_ALONE:
            said |= SAID_ALONE
            at = read_varint(at + 1, end, &alone)
            if at == NULL:
                return False
        elif not pass_unknown(&at, end, REPORT_FIELDS):
            return False
    if state > 7 or kind > 6:
        return False
    if kind == 0:
        out.kind = KIND_OF_STATE[state]
    elif state == 0 or state == STATE_OF_KIND[kind]:
        out.kind = <uint8_t>(kind - 1)
    else:
        return False
    if alone:
        out.flags |= ALONE
    # A keep-alive has no duration: the rules drop it.
    return out.kind != NO_KIND and (out.kind != BEAT or out.duration < 0)


cdef bint read_heartbeat(
    place_t text, place_t at, place_t end, const forms_t *forms, report_t *out,
) noexcept nogil:
    # A SendHeartbeatRequest.
    cdef Py_ssize_t size
    cdef uint32_t said = 0
    cdef unsigned char tag
    while at < end:
        tag = at[0]
        if tag == 0x0a and not said & SAID_NAME:
            said |= SAID_NAME
            at = read_size(at + 1, end, &size)
            if at == NULL or not read_name(text, at, size, forms, out):
                return False
            at += size
        elif tag == 0x12 and not said & SAID_ENVIRONMENT:
            said |= SAID_ENVIRONMENT
            at = read_size(at + 1, end, &size)
            if at == NULL or not read_environment(text, at, size, out):
                return False
            at += size
        elif not pass_unknown(&at, end, HEARTBEAT_FIELDS):
            return False
    out.kind = OK
    out.flags |= ALONE
    return out.monitor_size != 0


# --- the outer message


cdef place_t read_head(place_t at, place_t end, const shape_t *shape, head_t *head) noexcept nogil:
    # NULL when it is well formed; otherwise the field that is not.
    cdef place_t field
    cdef Py_ssize_t size
    cdef uint32_t tag, number
    cdef uint64_t value
    while at < end:
        field = at
        at = read_tag(at, end, &tag)
        if at == NULL:
            return field
        number = tag >> 3
        if number == 0:
            return field
        if tag & 7 == DELIMITED and (number == shape.requests or number == shape.parent):
            at = read_size(at, end, &size)
            if at == NULL:
                return field
            if number == shape.requests:
                head.count += 1
            else:
                if characters(at, size) < 0:
                    return field
                head.parent = at
                head.parent_size = size
            at += size
        elif tag & 7 == VARINT and (number == shape.partial or number == shape.sequence):
            at = read_varint(at, end, &value)
            if at == NULL:
                return field
            if number == shape.partial:
                head.partial = value != 0
            else:
                head.sequence = value
        else:
            at = skip(at, end, tag, DEPTH)
            if at == NULL:
                return field
    return NULL


cdef void read_rows(
    place_t text, place_t end, const shape_t *shape, const forms_t *forms, const head_t *head, report_t *out,
    Py_ssize_t rows,
) noexcept nogil:
    # The outer message is known to be well formed. Fills `rows` reports.
    cdef place_t at = text
    cdef report_t whole
    cdef Py_ssize_t size = 0, row = 0
    cdef uint32_t tag = 0
    cdef bint simple, named, of_one
    whole.monitor_size = 0
    # A parent that is neither empty nor "all of the project" nor one monitor is wrong, or for the rules to look at.
    of_one = head.parent_size != 0 and not shape.heartbeats
    named = of_one and read_name(text, head.parent, head.parent_size, forms, &whole)
    if of_one and not named:
        of_one = not of_all(head, forms)
    while row < rows:
        at = read_tag(at, end, &tag)
        if tag != (shape.requests << 3 | DELIMITED):
            at = skip(at, end, tag, DEPTH)
            continue
        at = read_size(at, end, &size)
        out.begin = <uint32_t>(at - text)
        out.end = <uint32_t>(at + size - text)
        out.monitor = out.environment = out.monitor_size = out.environment_size = out.flags = 0
        out.duration = -1
        if shape.heartbeats:
            simple = read_heartbeat(text, at, at + size, forms, out)
        else:
            simple = read_check_in(text, at, at + size, forms, out)
            if simple and of_one and out.monitor_size == 0:
                out.monitor, out.monitor_size = whole.monitor, whole.monitor_size
            elif simple and of_one:
                simple = out.monitor_size == whole.monitor_size and memcmp(
                    text + out.monitor, text + whole.monitor, out.monitor_size
                ) == 0
        if not simple or out.monitor_size == 0:
            out.kind = OK
            out.duration = -1
            out.monitor = out.environment = out.monitor_size = out.environment_size = 0
            out.flags = REST
        at += size
        out += 1
        row += 1


cdef bint of_all(const head_t *head, const forms_t *forms) noexcept nogil:
    # "projects/7/monitors/-"
    cdef int form
    for form in range(forms.count):
        if (
            head.parent_size == forms.size[form] + 1
            and memcmp(head.parent, forms.text[form], forms.size[form]) == 0
            and head.parent[forms.size[form]] == 0x2d
        ):
            return True
    return False


@cython.final
cdef class Intake:
    cdef readonly Batch batch
    cdef readonly Py_ssize_t count
    cdef readonly str parent
    cdef readonly int64_t sequence
    cdef readonly bint partial


cdef Intake read(bytes request, tuple projects, Py_ssize_t limit, const shape_t *shape):
    cdef place_t text = <place_t>PyBytes_AS_STRING(request), wrong
    cdef Py_ssize_t size = PyBytes_GET_SIZE(request), rows
    cdef head_t head
    cdef forms_t forms
    cdef Batch batch
    cdef report_t *reports
    cdef Intake made
    cdef list held = []  # what `forms` points into
    if size > SIZE_MAX:
        raise ValueError(f"a request of {size} bytes")
    if limit < 0:
        raise ValueError(f"a limit of {limit} reports")
    if len(projects) > FORMS:
        raise ValueError(f"a project that is written in {len(projects)} ways")
    forms.count = 0
    for project in projects:
        form = b"projects/%s/monitors/" % (<str?>project).encode()
        held.append(form)
        forms.text[forms.count] = <place_t>PyBytes_AS_STRING(form)
        forms.size[forms.count] = PyBytes_GET_SIZE(form)
        forms.count += 1
    head.parent, head.parent_size, head.sequence, head.partial, head.count = text, 0, 0, False, 0
    with nogil:
        wrong = read_head(text, text + size, shape, &head)
    if wrong != NULL:
        raise Malformed(wrong - text)
    batch = Batch()
    rows = min(head.count, limit)
    if rows:
        batch._reserve(<uint32_t>rows)
        reports = batch.reports
        with nogil:
            read_rows(text, text + size, shape, &forms, &head, reports, rows)
    batch.size = <uint32_t>rows
    batch.owner = request
    batch.text = text
    batch.text_size = <size_t>size
    made = Intake.__new__(Intake)
    made.batch = batch
    made.count = head.count
    made.parent = head.parent[:head.parent_size].decode()
    made.sequence = <int64_t>head.sequence
    made.partial = head.partial
    return made


def check_ins(bytes request not None, tuple projects not None, Py_ssize_t limit, *, bint stream=False):
    cdef shape_t shape
    shape.heartbeats = False
    shape.parent, shape.requests, shape.partial, shape.sequence = (2, 3, 0, 1) if stream else (1, 2, 3, 0)
    return read(request, projects, limit, &shape)


def heartbeats(bytes request not None, tuple projects not None, Py_ssize_t limit, *, bint stream=False):
    cdef shape_t shape
    shape.heartbeats = True
    shape.parent, shape.requests, shape.partial, shape.sequence = (2, 3, 0, 1) if stream else (1, 2, 0, 0)
    return read(request, projects, limit, &shape)


def text_of(bytes request not None, uint32_t number):
    cdef place_t text = <place_t>PyBytes_AS_STRING(request), wrong
    cdef Py_ssize_t size = PyBytes_GET_SIZE(request)
    cdef shape_t shape
    cdef head_t head
    if not 0 < number < 1 << 29:
        raise ValueError(f"no field has the number {number}")
    shape.heartbeats = False
    shape.parent, shape.requests, shape.partial, shape.sequence = number, 0, 0, 0
    head.parent, head.parent_size, head.sequence, head.partial, head.count = text, 0, 0, False, 0
    with nogil:
        wrong = read_head(text, text + size, &shape, &head)
    if wrong != NULL:
        raise Malformed(wrong - text)
    return head.parent[:head.parent_size].decode()


def rest(Batch batch not None, rows=None):
    cdef Py_ssize_t total = 0
    cdef uint32_t size
    cdef report_t *report
    cdef unsigned char *out
    if batch.owner is None:
        raise TypeError("this batch was not read from a request")
    chosen = batch.rest() if rows is None else list(rows)
    for row in chosen:
        report = batch._at(row)
        size = report.end - report.begin
        total += 1 + size_of_varint(size) + size
    message = PyBytes_FromStringAndSize(NULL, total)
    out = <unsigned char *>PyBytes_AS_STRING(message)
    for row in chosen:
        report = batch._at(row)
        size = report.end - report.begin
        out[0] = 2 << 3 | DELIMITED
        out = write_varint(out + 1, size)
        memcpy(out, batch.text + report.begin, size)
        out += size
    return message
