"""Filters as trees: precedence, quoting, positions."""

import pytest

from tocsin.domain import errors
from tocsin.store.filter_text import All, Not, Some, Test, Tree, parse

Test.__test__ = False  # not for pytest to collect


def brief(tree: Tree) -> str:
    match tree:
        case Test(field, operator, value):
            return f"{'.'.join(field)}{operator}{value}"
        case Not(term):
            return f"!({brief(term)})"
        case All(terms):
            return f"({' & '.join(map(brief, terms))})"
        case Some(terms):
            return f"({' | '.join(map(brief, terms))})"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=b", "a=b"),
        ("  a  =  b  ", "a=b"),
        ("a=b AND c=d OR e=f", "(a=b & (c=d | e=f))"),
        ("a=b c=d", "(a=b & c=d)"),
        ("a=b AND (c=d AND e:f)", "(a=b & (c=d & e:f))"),
        ("NOT a=b OR -c=d", "(!(a=b) | !(c=d))"),
        ("-(a=b)", "!(a=b)"),
        ("a.b.c != x", "a.b.c!=x"),
        ("labels.cost-centre = x", "labels.cost-centre=x"),
        ("a=night-backup-2", "a=night-backup-2"),
        ("a=-2.5", "a=-2.5"),
        ("a=*.example.org", "a=*.example.org"),
        (r'a="x \"y\" \\"', 'a=x "y" \\'),
        ("a='it''s'", None),
        ("a='it\\'s'", "a=it's"),
        ('a=""', "a="),
        ("a=日本", "a=日本"),
        ("a=AND", "a=AND"),
        ("android=x", "android=x"),
        ("a=b -c=d", "(a=b & !(c=d))"),
    ],
)
def test_trees(text, tree):
    if tree is None:
        with pytest.raises(errors.InvalidArgument):
            parse(text)
    else:
        assert brief(parse(text)) == tree


def test_positions_count_from_one():
    tree = parse("a=b AND (c=d OR NOT e=f)")
    assert isinstance(tree, All)
    first, some = tree.terms
    assert isinstance(first, Test)
    assert isinstance(some, Some)
    assert [first.position, some.terms[0].position, some.terms[1].term.position] == [1, 10, 21]
