"""The compiled parser against a slow one: valid expressions, mutated ones, any text. Both read it alike or refuse it
because of the same field."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.expressions import crons
from support.oracle import cron_text as oracle
from tocsin._core import cron_text
from tocsin._core.cron import Cron
from tocsin._core.cron_text import LONGEST, Refused, parse

FIELD_NAMES = ["", *oracle.FIELDS]
RULES = {"star": cron_text.STAR, "or": cron_text.OR, "and": cron_text.AND}


@st.composite
def mutated(draw):
    text = draw(crons())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.sampled_from([*"*/-,#LW?@09 MONJA7\0", "60", "SUN", "L-", "é", "\u0661", "\xa0", "#L", ""]))
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


def agree(text, rule="star"):
    try:
        expected = oracle.masks(text, rule)
    except oracle.Wrong as wrong:
        with pytest.raises(Refused) as caught:
            parse(text, RULES[rule])
        refused = caught.value
        assert FIELD_NAMES[refused.field + 1] == wrong.args[0], text
        assert 0 <= refused.position <= len(text)
        if refused.code != cron_text.COUNT:
            assert refused.length == 0 or refused.position + refused.length <= len(text)
    else:
        found = parse(text, RULES[rule])
        assert found.masks() == expected, text
        assert found == Cron.of(**expected)
        assert hash(found) == hash(Cron.of(**expected))


@settings(max_examples=400, deadline=None)
@given(text=crons(), rule=st.sampled_from(sorted(RULES)))
def test_valid_expressions(text, rule):
    parse(text)
    agree(text, rule)


@settings(max_examples=800, deadline=None)
@given(text=mutated())
@example("0 0 L-31 * *")
@example("0 0 L-0 * *")
@example("0 0 L-00001 * *")
@example("0 0 L-3W * *")
@example("0 0 1,? * *")
@example("0 0 ?,1 * *")
@example("? 0 * * *")
@example("0 0 ?? * *")
@example("0 0 ?/2 * *")
@example("0 0 * * MON#LL")
@example("0 0 * * MON#5,")
@example("0 0 * * #2")
@example("*/5x * * * *")
@example("5-7-9 * * * *")
@example("*5 * * * *")
@example("00001 * * * *")
@example("1\0 * * * *")
@example("\0")
@example("@dail\u00fd")
@example("@daily 0 * * * *")
@example("@")
def test_mutated_expressions(text):
    agree(text)


@settings(max_examples=500, deadline=None)
@given(text=st.text(alphabet="*/-,#LW?@0123456789 MONJA\t", max_size=40) | st.text(max_size=30))
def test_any_text(text):
    agree(text)


def test_every_length_up_to_the_longest():
    for length in (LONGEST - 1, LONGEST):
        text = "0" + ",0" * 1000
        text = text[: length - 8 - (length % 2)] + " * * * *"
        agree(text.ljust(length))
    with pytest.raises(Refused) as caught:
        parse("* " * LONGEST)
    assert (caught.value.code, caught.value.field, caught.value.position) == (cron_text.TOO_LONG, -1, LONGEST)
    agree("* " * (LONGEST // 2))


def test_what_is_no_text_or_no_rule():
    with pytest.raises(TypeError):
        parse(None)
    with pytest.raises(TypeError):
        parse(b"* * * * *")
    for rule in (-1, 3):
        with pytest.raises(ValueError, match="no rule"):
            parse("* * * * *", rule)


def test_content_makes_equal():
    one, same, other = parse("0 0 1 1 *"), parse("@yearly"), parse("0 0 1 2 *")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "0 0 1 1 *"
    years = Cron.of(**one.masks() | {"years": [2030]})
    assert years != one
    assert years == Cron.of(**years.masks())
    assert years != Cron.of(**one.masks() | {"years": [2031]})
    assert Cron.of(**one.masks() | {"years": []}) != one
    assert len({parse(f"{minute} {hour} * * *") for minute in range(60) for hour in range(24)}) == 1440
    assert "'minute': 1" in repr(one)


def test_masks_are_checked():
    good = {"minute": 1, "hour": 1, "dom": 2, "month": 2, "dow": 1}
    for bad in (
        *({"minute": 0}, {"minute": 1 << 60}, {"hour": 0}, {"hour": 1 << 24}, {"dom": 1}, {"month": 0}, {"month": 1}),
        *({"month": 1 << 13}, {"dow": 1 << 7}, {"nth": 1 << 42}, {"nearest": 1}, {"second": 0}, {"last": 1 << 31}),
        *({"years": [1969]}, {"years": [2226]}, {"second": 1 << 60}),
    ):
        with pytest.raises(ValueError, match=r"."):
            Cron.of(**good | bad)


@pytest.mark.parametrize("text", ["@daily\0", "@daily\0" + "0 0 * * *", "@midnight\0@weekly", "@annually\0"])
def test_a_nickname_ends_where_the_text_does(text):
    with pytest.raises(Refused):
        parse(text)
