from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_graphs.spaces.printed_values import printed_value

scalars = (
    st.integers(-9, 9)
    | st.booleans()
    | st.none()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(scalars, inner, max_size=4)
    ),
    max_leaves=10,
)


@given(values)
def test_a_printed_value_is_given_back(value: Any) -> None:
    assert printed_value(repr(value)) == value


@pytest.mark.parametrize(
    "scalar",
    [
        *(np.dtype(kind).type(3) for kind in "bBhHiIlLqQ"),
        np.True_,
        np.False_,
        np.float16(0.5),
        np.float32(0.5),
        np.float64(0.5),
        np.float64(-2.0),
        np.str_("skip"),
    ],
    ids=repr,
)
def test_a_scalar_of_numpy_is_the_value_that_it_holds(scalar: Any) -> None:
    found = printed_value(f"[{scalar!r}]")[0]
    assert found == scalar
    assert type(found) is type(scalar.item())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("numpy.int64(1)", 1),
        ("np.bool_(True)", True),
        ("array([2, 3])", [2, 3]),
        ("tensor(4, device='cuda:0')", 4),
        ("array([0.5], dtype=float32)", [0.5]),
        ("range(2, 4)", [2, 3]),
        ("range(2)", [0, 1]),
        ("{'a': (1, -2.5)}", {"a": (1, -2.5)}),
        ("  best = [1]\n", [1]),
        ("pair(1, second=2)", (1, 2)),
    ],
)
def test_what_programs_print_is_evaluated(text: str, value: Any) -> None:
    assert printed_value(text, {"pair": lambda first, second: (first, second)}) == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("np.int64('a')", "np.int64 holds 'a'"),
        ("np.int64(1, 2)", "unpack"),
        ("np.load('a')", "calls 'np.load'"),
        ("np.integer(1)", "calls 'np.integer'"),
        ("open('a')", "calls 'open'"),
        ("pair(1)", "missing 1 required"),
        ("pair(1, 2, third=3)", "unexpected keyword"),
        ("pair(**{'a': 1})", "unexpected keyword"),
        ("range(1000)", "small numbers"),
        ("range(2, stop=4)", "malformed"),
        ("a", "no Name"),
        ("[1] * 9", "no BinOp"),
        ("[x for x in 'a']", "no ListComp"),
        ("{**{}}", "no Dict"),
        ("{[]: 1}", "unhashable"),
        ("f'{1}'", "no JoinedStr"),
        ("1 2", "SyntaxError"),
        ("a == 1", "no Compare"),
        ("(" * 3_000, "SyntaxError|MemoryError"),
        ("-" * 30_000 + "1", "Error"),
        ("1" * 70_000, "longer than 65,536"),
    ],
)
def test_anything_else_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        printed_value(text, {"pair": lambda first, second: (first, second)})


@given(st.text(max_size=80) | st.text("np.int64(0)[]{}:,'range= \n", max_size=80))
@settings(max_examples=300)
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    try:
        printed_value(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize("text", ["make(a=1, a=2)", "make(a=1, b=2, a=1)", "array([1], d=1, d=2)"])
def test_a_keyword_given_twice_is_refused_as_python_refuses_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^malformed: '\w+' has '[ad]' twice$"):
        printed_value(text, {"make": dict})
