"""Codes are a permutation of the numbers that avoids the words of paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.codes import NUMBERS, Codes

CODES = Codes(b"secret", reserved=("report", "badges", "no"))


@given(st.integers(0, NUMBERS - 1))
def test_a_code_is_turned_back(number):
    code = CODES.code_of(number)
    assert len(code) == 6
    assert CODES.number_of(code) == number


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=6))
def test_every_code_but_a_word_stands_for_a_number(code):
    number = CODES.number_of(code)
    if code in ("report", "badges"):
        assert number is None
    else:
        assert number is not None
        assert CODES.code_of(number) == code


@pytest.mark.parametrize("code", ["report", "abc", "ABCDEF", "abcde-", "abcdefg", ""])
def test_what_is_no_code_has_no_number(code):
    assert CODES.number_of(code) is None


def test_words_are_walked_over():
    many = Codes(b"x", reserved=[f"{place:06}" for place in range(2000)])
    for number in range(60_000, 60_200):
        code = many.code_of(number)
        assert not code.isdecimal() or int(code) >= 2000
        assert many.number_of(code) == number


def test_another_secret_makes_other_codes():
    assert [CODES.code_of(n) for n in range(50)] != [Codes(b"other").code_of(n) for n in range(50)]


@pytest.mark.parametrize("number", [-1, NUMBERS])
def test_no_code_beyond_the_numbers(number):
    with pytest.raises(ValueError, match="no code"):
        CODES.code_of(number)
