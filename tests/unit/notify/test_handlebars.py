"""Templates: what each part of the language does, what is refused, and that nothing a template says takes too much."""

import itertools
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.templates import CONTEXT, Templates
from tocsin.notify.handlebars import OUTPUT_MAX, SIZE_MAX, Budget, TemplateError, TooMuch, parse, render
from tocsin.notify.handlebars.values import UNDEFINED, equal, number, same, text, truthy

NOW = datetime(2026, 3, 31, 15, 4, 5, 67_000, UTC)


def made(template: str, **context: object) -> str:
    return render(parse(template), context or CONTEXT, NOW)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{NAME}}", "back&lt;up&gt; &amp; &quot;co&quot;"),
        ("{{{NAME}}}{{&NAME}}", 'back<up> & "co"' * 2),
        ("{{NOPE}}{{NULL}}{{NOPE.a.b}}{{../NOPE}}", ""),
        (
            "{{T}} {{F}} {{N}} {{NEG}} {{BIG}} {{TAGS}} {{O}}",
            "true false 7 -2.5 1e+21 team:core,env&#x3D;prod,plain [object Object]",
        ),
        ("{{TAGS.[1]}} {{TAGS.1}} {{TAGS.length}} {{NAME.length}} {{TAGS.[01]}}", "env&#x3D;prod env&#x3D;prod 3 15 "),
        ("{{#each TAGS as |tag place|}}{{place}}{{tag}} {{/each}}", "0team:core 1env&#x3D;prod 2plain "),
        ("{{#each L}}{{#each m}}{{@../index}}{{@index}}{{this}}{{../n}} {{/each}}{{/each}}", "00p1 01q1 "),
        ("{{#TAGS}}{{.}} {{/TAGS}}{{^EMPTY}}none{{/EMPTY}}{{#O}}{{a}}{{/O}}", "team:core env&#x3D;prod plain none1"),
        (
            '{{tagValue TAGS "team" "x"}} {{tagValue TAGS "env=" "x"}} {{tagValue TAGS "no" "x"}} {{tagValue N "a" "y"}}',
            "core prod x y",
        ),
        ('{{split S ","}} {{split S "," 0}} {{split N ","}}', "a,b,c a "),
        ('{{ifEven "four"}}{{#ifEven "four"}}a{{else}}b{{/ifEven}}', "b"),
        ("{{if T}}{{each TAGS}}{{unknown 1}}{{#unknown 1}}x{{/unknown}}", ""),
        ("{{#if}}x{{/if}}{{#each}}y{{/each}}", ""),
        ('{{year}} {{year 2}} {{year "2"}}', "2026 26 26"),
        ("{{log NAME}}{{helperMissing}}{{constructor}}{{O.__proto__}}{{this.__class__}}", ""),
        ("{{lookup NAME '__class__'}}{{lookup this 'N'}}", "7"),
    ],
)
def test_what_is_written(template, wanted):
    assert made(template) == wanted


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("now", "2026-03-31 15:04:05.067"),
        ("Today", "2026-03-31 00:00:00.000"),
        ("yesterday", "2026-03-30 00:00:00.000"),
        ("tomorrow", "2026-04-01 00:00:00.000"),
        ("2 days ago", "2026-03-29 15:04:05.067"),
        ("an hour ago", "2026-03-31 14:04:05.067"),
        ("in a month", "2026-04-30 15:04:05.067"),
        ("3 weeks", "2026-04-21 15:04:05.067"),
        ("one year from now", "2027-03-31 15:04:05.067"),
        ("last month", "2026-02-28 15:04:05.067"),
        ("next week", "2026-04-07 15:04:05.067"),
        ("2020-06-15", "2020-06-15 00:00:00.000"),
        ("2020/6/5 7:08", "2020-06-05 07:08:00.000"),
        ("2020-13-01", "2021-01-01 00:00:00.000"),
        ("2020-06-15T10:00:00.123+02:00", "2020-06-15 08:00:00.123"),
        ("2020-06-15T10:00:00Z", "2020-06-15 10:00:00.000"),
        ("Mon, 15 Jun 2020 10:00:00 GMT", "2020-06-15 10:00:00.000"),
        ("when it suits", ""),
        ("999999999 years ago", ""),
        ("", ""),
    ],
)
def test_phrases_of_dates(phrase, wanted):
    assert made('{{moment P "YYYY-MM-DD HH:mm:ss.SSS"}}', P=phrase) == wanted


def test_dates():
    assert made("{{moment}} | {{date}} | {{moment 'DD.MM.'}}") == "March 31, 2026 | March 31, 2026 | 31.03."
    assert made("{{date N 'x'}} {{date N}} {{date NULL 'x'}}{{date TAGS 'x'}}") == "7 1970-01-01T00:00:00+00:00 "
    assert made("{{date BIG 'x'}}{{date ISO N}}") == ""


def test_ids_and_chances():
    assert len(made("{{$UUID}}")) == 36
    assert made("{{$UUID}}") != made("{{$UUID}}")
    assert 0 <= int(made("{{$RANDOM_NUMBER}}")) <= 10_000


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{", "line 1: the end comes where a name is expected"),
        ("a\nb {{#if T}}x", "line 2: the block 'if' does not end"),
        ("{{/if}}", "no block is open here"),
        ("{{else}}", "no block is open here"),
        ("{{#if T}}{{/each}}", "'each' ends here, and 'if' is open"),
        ("{{#if T}}{{else}}{{else}}{{/if}}", "no 'else' belongs here"),
        ("{{^T}}{{else if N}}{{/T}}", "no 'else' belongs here"),
        ("{{NAME", "a name is expected"),
        ("{{{NAME}}", "}}} is missing"),
        ("{{NAME)}}", r"'\)' is too much"),
        ("{{a (b}}", r"a '\)' is missing"),
        ("{{a b=1 c}}", "before the pairs"),
        ("{{a/../b}}", "at the beginning of a path only"),
        ("{{a.this}}", "at the beginning of a path only"),
        ("{{#each T as ||}}{{/each}}", "between two"),
        ("{{> part}}", "partials are not known here"),
        ("{{#> part}}{{/part}}", "partials are not known here"),
        ("{{* part}}", "decorators are not known here"),
        ("{{{{raw}}}} {{{{/raw}}}}", "raw blocks"),
        ("{{! never ends", "a comment does not end"),
        ('{{"open}}', "a name is expected"),
        ("{{a" + " (b" * 40 + ")" * 40 + "}}", "at most 32 deep"),
        ("{{#if T}}" * 40 + "{{/if}}" * 40, "at most 32 deep"),
        ("{{#if a}}" + "{{else if a}}" * 40 + "{{/if}}", "at most 32 deep"),
        ("x" * (SIZE_MAX + 1), "at most 100000 characters"),
    ],
)
def test_what_is_refused(template, why):
    with pytest.raises(TemplateError, match=why):
        parse(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{#each @root.MANY}}{{#each @root.MANY}}x{{/each}}{{/each}}",
        "{{#each @root.MANY}}{{{@root.LONG}}}{{/each}}",
        "{{#each @root.MANY}}{{#if (split @root.LONG '')}}{{/if}}{{/each}}",
        "{{#each @root.MANY}}{{#eq (replace @root.LONG 'x' @root.LONG) 'y'}}{{/eq}}{{/each}}",
        "{{#each (split @root.LONG '')}}{{#each (split @root.LONG '')}}{{/each}}{{/each}}",
        "{{#with (split @root.LONG '') as |all|}}{{#each all}}{{#each all}}{{/each}}{{/each}}{{/with}}",
        "{{#with (split @root.LONG '') as |all|}}{{#each all}}{{#is all 'y'}}{{/is}}{{/each}}{{/with}}",
        "{{#each @root.MANY}}{{#is @root.HUGE 'y'}}{{/is}}{{/each}}",
        "{{#each @root.MANY}}{{#eq 1 compare=@root.HUGE}}{{/eq}}{{/each}}",
        f"{{{{#each @root.MANY}}}}{{{{@{'../' * 1_000}index}}}}{{{{/each}}}}",
        "{{startsWith @root.ENDLESS 'x'}}",
    ],
)
def test_what_takes_too_much_ends(template):
    huge = ["x" * 16_000] * 3
    with pytest.raises(TooMuch):
        made(template, MANY=list(range(1_000)), LONG="x" * 16_000, HUGE=huge, ENDLESS="x" * 2_000_001)


def test_an_element_is_not_compared_with_what_its_list_is_written_as():
    class Unread(list):
        """Nobody looks at all of it for the sake of one of its elements."""

        def __iter__(self):
            Unread.looked += 1
            return super().__iter__()

    Unread.looked = 0
    assert made("{{#with @root.L as |l|}}{{#each l}}{{this}}{{/each}}{{/with}}", L=Unread("abc")) == "abc"
    few = Unread.looked
    Unread.looked = 0
    made("{{#with @root.L as |l|}}{{#each l}}{{this}}{{/each}}{{/with}}", L=Unread("x" * 500))
    assert Unread.looked == few


def test_templates_may_share_what_they_may_take():
    budget = Budget()
    costly = parse("{{#each (split LONG '')}}{{/each}}")
    context = {"LONG": "x" * 9_000}
    assert render(costly, context, NOW, budget) == ""
    with pytest.raises(TooMuch, match="steps"):
        for _ in range(10):
            render(costly, context, NOW, budget)
    with pytest.raises(TooMuch):
        render(parse("{{NAME}}"), CONTEXT, NOW, budget)


def test_templates_may_take_some_time_only():
    seconds = itertools.count()
    with pytest.raises(TooMuch, match=r"0\.5 seconds"):
        render(parse("{{NAME}}" * 200), CONTEXT, NOW, Budget(0.5, lambda: float(next(seconds))))
    assert len(render(parse("{{N}}" * 200), CONTEXT, NOW, Budget(9_999, lambda: float(next(seconds))))) == 200


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (f"{{{{date 1 '{'[' * 90_000}'}}}}", ""),
        (f"{{{{date '{'[' * 90_000}'}}}}", ""),
        (f"{{{{date '{'2020-' + ' ' * 90_000}x' 'YYYY'}}}}", ""),
        (f"{{{{#lt 1 '{'1' * 90_000}x'}}}}less{{{{/lt}}}}", ""),
        (f"{{{{#ifEven '{'1' * 90_000}0'}}}}even{{{{/ifEven}}}}", ""),
    ],
    ids=["tokens", "tokens alone", "phrase", "number", "digits"],
)
def test_no_pattern_sees_a_long_text(template, wanted):
    """Each of them would keep the whole process busy for minutes, in a single step."""
    assert made(template) == wanted


def test_numbers_beyond_all_numbers():
    huge = "0x" + "f" * 290
    assert number(huge) == math.inf
    assert made("{{#with true}}{{#with @root.HUGE}}{{#lt 1 this}}x{{/lt}}{{/with}}{{/with}}", HUGE=huge) == "x"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (123456789012345680000.0, "123456789012345680000"),
        (2**60, "1152921504606847000"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (math.nan, "NaN"),
        (0.000001, "0.000001"),
        (-1234.5, "-1234.5"),
        ([1, [None, True], {}], "1,,true,[object Object]"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_how_values_are_written(value, wanted):
    assert text(value) == wanted


def test_equality_and_truth():
    assert not same(1, True)
    assert not same(None, UNDEFINED)
    assert equal(None, UNDEFINED)
    assert equal("1", True)
    assert equal(["a"], "a")
    assert not equal(None, 0)
    assert not equal(10**400, "1")
    assert [truthy(value) for value in ("", 0, math.nan, None, UNDEFINED, [], {}, "0")] == [False] * 5 + [True] * 3
    assert [number(value) for value in ("", " 12 ", "0x1F", "1e3", ".5", None, True)] == [0, 12, 31, 1000, 0.5, 0, 1]
    assert all(math.isnan(number(value)) for value in ("1a", "1_0", UNDEFINED, {}, "0x"))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60).filter(lambda text: "{{" not in text))
def test_a_text_without_tags_is_itself(plain):
    assert made(plain) == plain


_ODD = (
    "0x" + "f" * 290,
    10**400,
    1e308,
    math.nan,
    -math.inf,
    "1" * 20_000 + "x",
    "[" * 20_000,
    "9" * 400,
    "\ud800",
    "",
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(_ODD), min_size=3, max_size=3))
def test_odd_values_are_no_error(seed, values):
    one, other, third = values
    odd = {**CONTEXT, "NAME": one, "N": other, "S": third, "TAGS": values, "NESTED": [values, [values]], "ISO": third}
    try:
        assert len(render(parse(Templates(seed).one()), odd, NOW)) <= OUTPUT_MAX
    except TooMuch as error:
        assert str(error)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_a_broken_template_is_refused_or_rendered(seed, data):
    template = Templates(seed).one()
    first, last = sorted((data.draw(st.integers(0, len(template))), data.draw(st.integers(0, len(template)))))
    broken = template[:first] + data.draw(st.text("{}#/^~!\\\"'()|@.= ifeach", max_size=6)) + template[last:]
    try:
        assert len(made(broken)) <= OUTPUT_MAX
    except (TemplateError, TooMuch) as error:
        assert str(error)
