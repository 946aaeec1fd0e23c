"""The framing rules of spec section 1.3, one by one, however the bytes are cut."""

import json

import pytest
from sentry_edge import check_in, envelope, item, splits

from tocsin.dialects.sentry.envelope import EnvelopeError, EnvelopeTooLargeError, Parser, parse
from tocsin.dialects.sentry.limits import Limits
from tocsin.dialects.sentry.schema import text_of

A = b'{"a":1}'
SMALL = Limits(held=4_000, check_in=100, check_ins=3, header=200)

ACCEPTED = {
    "no items": (b"{}", [], {}),
    "no items, line feed": (b"{}\n", [], {}),
    "no items, several line feeds": (b"{}\n\n\n", [], {}),
    "unknown header keys": (b'{"x":[1,{"y":2}],"sent_at":"never"}\n', [], {}),
    "length": (b'{}\n{"type":"check_in","length":7}\n{"a":1}', [A], {"check_in": 1}),
    "length, line feed": (b'{}\n{"type":"check_in","length":7}\n{"a":1}\n', [A], {"check_in": 1}),
    "no length": (b'{}\n{"type":"check_in"}\n{"a":1}', [A], {"check_in": 1}),
    "no length, line feed": (b'{}\n{"type":"check_in"}\n{"a":1}\n', [A], {"check_in": 1}),
    "null length": (b'{}\n{"type":"check_in","length":null}\n{"a":1}\n', [A], {"check_in": 1}),
    "length counts bytes": (b'{}\n{"type":"check_in","length":4}\n"\xc3\xa4"\n', [b'"\xc3\xa4"'], {"check_in": 1}),
    "payload with line feeds": (b'{}\n{"type":"check_in","length":4}\n\n\n\n\n\n', [b"\n\n\n\n"], {"check_in": 1}),
    "carriage return belongs to the payload": (b'{}\n{"type":"check_in"}\n{"a":1}\r\n', [A + b"\r"], {"check_in": 1}),
    "carriage return ends no line": (b'{}\n{"type":"check_in"}\nx\ry\n', [b"x\ry"], {"check_in": 1}),
    "carriage return is blank behind a header": (b'{}\r\n{"type":"check_in"}\r\n{"a":1}', [A], {"check_in": 1}),
    "no bytes, empty line": (b'{}\n{"type":"attachment","length":0}\n\n', [], {"attachment": 1}),
    "no bytes, the empty line absent": (b'{}\n{"type":"attachment","length":0}\n', [], {"attachment": 1}),
    "no bytes, header at the end": (b'{}\n{"type":"attachment","length":0}', [], {"attachment": 1}),
    "no bytes between others": (
        b'{}\n{"type":"attachment","length":0}\n\n{"type":"check_in"}\n{"a":1}',
        [A],
        {"attachment": 1, "check_in": 1},
    ),
    "no length at the end": (b'{}\n{"type":"check_in"}\n', [b""], {"check_in": 1}),
    "no length, header at the end": (b'{}\n{"type":"check_in"}', [b""], {"check_in": 1}),
    "stray empty lines": (
        b'{}\n\n\n{"type":"check_in","length":7}\n{"a":1}\n\n \t\r\n{"type":"check_in"}\n{"a":1}\n\n\n',
        [A, A],
        {"check_in": 2},
    ),
    "empty lines before the header": (b"\n\n{}\n", [], {}),
    "unknown types are skipped with their payload": (
        b'{}\n{"type":"future","length":10}\n{"type":"}\n{"type":"future"}\nrubbish\n{"type":"check_in"}\n{"a":1}',
        [A],
        {"future": 2, "check_in": 1},
    ),
    "other header keys": (
        b'{}\n{"item_count":1,"type":"check_in","content_type":"x","filename":"y","length":7}\n{"a":1}\n',
        [A],
        {"check_in": 1},
    ),
    "the last of a key that comes twice": (b'{}\n{"type":"x","type":"check_in"}\n{"a":1}', [A], {"check_in": 1}),
    "several check-ins in order": (
        b'{}\n{"type":"check_in"}\n1\n{"type":"check_in"}\n2\n{"type":"check_in"}\n3',
        [b"1", b"2", b"3"],
        {"check_in": 3},
    ),
    "a client report is read": (b'{}\n{"type":"client_report"}\n{"a":1}', [A], {"client_report": 1}),
}

MALFORMED = {
    "empty": (b"", 0, "is empty"),
    "blank": (b" \n\n", 3, "is empty"),
    "header is no JSON": (b"hello\n", 0, "envelope header"),
    "header is cut": (b'{"dsn":"x', 0, "envelope header"),
    "header is a list": (b"[]\n", 0, "expected `object`"),
    "header has two values": (b"{} {}\n", 0, "trailing characters"),
    "header is no UTF-8": (b'{"dsn":"\xff"}\n', 0, "UTF-8"),
    "unknown header key is no UTF-8": (b'{"x":"\xff"}\n', 0, "UTF-8"),
    "dsn is a number": (b'{"dsn":5}\n', 0, "$.dsn"),
    "byte order mark": (b"\xef\xbb\xbf{}\n", 0, "envelope header"),
    "item header is no JSON": (b"{}\nhello\n", 3, "item header"),
    "item header is cut": (b'{}\n{"type":"check_in"', 3, "item header"),
    "item header is a text": (b'{}\n"check_in"\n', 3, "item header"),
    "no type": (b'{}\n{"length":1}\nx', 3, "missing required field `type`"),
    "type is null": (b'{}\n{"type":null}\nx', 3, "$.type"),
    "length is a text": (b'{}\n{"type":"x","length":"1"}\nx', 3, "$.length"),
    "length is a fraction": (b'{}\n{"type":"x","length":1.5}\nx', 3, "$.length"),
    "length is true": (b'{}\n{"type":"x","length":true}\nx', 3, "$.length"),
    "length is negative": (b'{}\n{"type":"x","length":-1}\nx', 3, "negative"),
    "length is NaN": (b'{}\n{"type":"x","length":NaN}\nx', 3, "malformed"),
    "too few bytes": (b'{}\n{"type":"x","length":9}\nabc', 30, "announced 9 bytes, 3 came"),
    "length beyond int64": (b'{}\n{"type":"x","length":99999999999999999999}\nabc', 49, "3 came"),
    "header at the end, bytes announced": (b'{}\n{"type":"x","length":9}', 26, "0 came"),
    "too many bytes": (b'{}\n{"type":"x","length":2}\nabc', 29, "a line feed must follow"),
    "no line feed after no bytes": (b'{}\n{"type":"x","length":0}\n{"type":"y"}', 27, "a line feed must follow"),
    "carriage return after a sized payload": (b'{}\n{"type":"x","length":1}\na\r\n', 28, "a line feed must follow"),
    "nested bomb in the header": (b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n", 0, "nested too deeply"),
    "nested bomb in an item header": (
        b'{}\n{"type":"x","y":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n",
        3,
        "nested too deeply",
    ),
}


def _payloads(parser: Parser) -> list[bytes]:
    return [one.payload for one in parser.items]


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    body, payloads, counts = ACCEPTED[name]
    parser = parse(body)
    assert _payloads(parser) == payloads
    assert parser.counts == counts


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name):
    body, offset, text = MALFORMED[name]
    with pytest.raises(EnvelopeError) as problem:
        parse(body)
    assert problem.value.offset == offset
    assert text in str(problem.value)
    assert f"at byte {offset} of the envelope" in str(problem.value)
    assert not isinstance(problem.value, EnvelopeTooLargeError)


@pytest.mark.parametrize("name", [*ACCEPTED, *(name for name, case in MALFORMED.items() if len(case[0]) < 1_000)])
def test_cuts_change_nothing(name):
    def outcome(*pieces: bytes) -> object:
        parser = Parser(Limits())
        try:
            for piece in pieces:
                parser.feed(piece)
            parser.close()
        except EnvelopeError as problem:
            return str(problem)
        return parser.header, parser.items, parser.counts

    body = (ACCEPTED | MALFORMED)[name][0]
    whole = outcome(body)
    assert outcome(*(bytes([byte]) for byte in body)) == whole
    for head, tail in splits(body):
        assert outcome(head, tail) == whole


def test_header_fields():
    header = parse(b'{"event_id":"ab","dsn":"http://k@h/1","sdk":{"name":"n"},"trace":{}}\n').header
    assert header is not None
    assert (header.dsn, text_of(header.event_id), bytes(header.sdk)) == ("http://k@h/1", "ab", b'{"name":"n"}')


def test_header_is_known_before_the_items():
    parser = Parser(Limits())
    parser.feed(b"{}")
    assert parser.header is None
    parser.feed(b"\n")
    assert parser.header is not None


def test_items_know_where_they_began():
    assert [one.offset for one in parse(envelope(item(b"1"), item(b"2"))).items] == [3, 39]


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
def test_a_check_in_has_a_limit(size, fits, sized):
    body = envelope(item(b"x" * size, sized=sized))
    if fits:
        assert len(parse(body, SMALL).items[0].payload) == size
        return
    with pytest.raises(EnvelopeTooLargeError, match="longer than 100 bytes"):
        parse(body, SMALL)


def test_the_limit_of_a_check_in_is_100_kib():
    limits = Limits()
    assert parse(envelope(item(b"x" * 102_400)), limits).items
    with pytest.raises(EnvelopeTooLargeError):
        parse(envelope(item(b"x" * 102_401)), limits)


@pytest.mark.parametrize("sized", [True, False])
def test_an_oversized_foreign_item_is_let_go(sized):
    body = envelope(item(b"x" * 100_000, "attachment", sized=sized), item(check_in(), sized=sized))
    assert _payloads(parse(body, Limits(held=4_000))) == [check_in()]


@pytest.mark.parametrize("sized", [True, False])
def test_an_oversized_client_report_is_merely_not_read(sized):
    body = envelope(item(b"x" * 5_000, "client_report", sized=sized), item(b"1"))
    parser = parse(body, SMALL)
    assert _payloads(parser) == [b"1"]
    assert parser.counts == {"client_report": 1, "check_in": 1}


def test_a_header_line_has_a_limit():
    with pytest.raises(EnvelopeTooLargeError, match="header line"):
        parse(b'{"x":"' + b"y" * 300 + b'"}\n', SMALL)


def test_check_ins_have_a_number_limit():
    with pytest.raises(EnvelopeTooLargeError, match="more than 3 check_in items"):
        parse(envelope(*[item(b"1")] * 4), SMALL)


def test_what_is_held_has_a_limit():
    with pytest.raises(EnvelopeTooLargeError, match="longer than 4000 bytes"):
        parse(envelope(*[item(b"1", "x")] * 200), SMALL)


def test_a_hundred_thousand_foreign_items():
    parser = parse(b"{}\n" + b'{"type":"x"}\n\n' * 100_000)
    assert parser.counts == {"x": 100_000}
    assert parser.items == []


def test_a_million_blank_lines():
    assert parse(b"{}" + b"\n" * 1_000_000 + item(b"1")).counts == {"check_in": 1}


def test_a_long_payload_is_not_held():
    parser = Parser(Limits(held=1_000))
    parser.feed(b'{}\n{"type":"attachment","length":50000000}\n')
    for _ in range(50):
        parser.feed(b"x" * 1_000_000)
    parser.feed(b"\n" + item(b"1"))
    parser.close()
    assert _payloads(parser) == [b"1"]


def test_json_in_the_payload_is_not_looked_at():
    assert _payloads(parse(envelope(item(json.dumps("\n").encode()[:-1])))) == [b'"\\n']
