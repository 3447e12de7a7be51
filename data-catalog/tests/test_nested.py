import json
import tomllib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog.nested import parse_json, parse_toml

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_json_is_parsed_as_ever(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize("depth", [10_000, 100_000])
@pytest.mark.parametrize("text", ['{"a":', "["])
def test_json_that_nests_deeply_is_a_value_error(text: str, depth: int) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|Expecting value"):
        parse_json(text * depth)


@pytest.mark.parametrize(
    "text",
    [
        'name = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s"\nx = [[1, 2], [3]]\n[operators]\na.b = "["',
        'a = """' + "[.\n" * 99 + "\"\"\"\nb = '''" + "[." * 99 + "'''\nc = '" + "[." * 99 + "'",
        "x = 1 # " + "[.{" * 99 + '\ny = "\\"' + "[." * 99 + '"',
        "x = [" + "1.5, " * 99 + "]\n" + "".join(f"k{i} = {i}.5\n" for i in range(99)),
        "x = " + "[" * 16 + "]" * 16,
    ],
)
def test_toml_that_is_flat_is_parsed_as_ever(text: str) -> None:
    assert parse_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 20_000 + " = 1",
        "[" + "a." * 20_000 + "a]",
        "[[" + "'a' . " * 9_000 + "a]]",
        "x = {" + '"a".' * 9_000 + "a = 1}",
        "x = " + "[" * 30_000,
        "x = " + "{a=" * 20_000,
        "x = [" + "[\n" * 30_000,
        'x = """' + '\\"""' * 9_000 + '"""\ny = ' + "[" * 17 + "]" * 17,
    ],
)
def test_toml_that_nests_deeply_is_refused_before_it_is_parsed(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tomllib, "loads", lambda _text: pytest.fail("it was parsed"))
    with pytest.raises(ValueError, match="nested more than 16 levels deep"):
        parse_toml(text)


@given(st.text("ab.=[]{}\"'#\\\n, 1"))
def test_any_text_is_parsed_as_ever_or_refused(text: str) -> None:
    assert _outcome(parse_toml, text) in (_outcome(tomllib.loads, text), "nested")


def _outcome(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except ValueError as error:
        return "nested" if "is nested" in str(error) else "refused"
