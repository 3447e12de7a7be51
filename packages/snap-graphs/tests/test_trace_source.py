"""Functions of users' files that make networks, and the shapes of their inputs."""

from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_graphs.torch.trace import Given, Input, Inputs, Source, parse_input, read_inputs

HEAD = "import sys\nimport torch\nfrom torch import nn\n"


def networks(tmp_path: Path, body: str, function: str = "made") -> list[Given]:
    file = tmp_path / "nets.py"
    file.write_text(HEAD + body)
    return list(Source.of(f"{file}:{function}").open())


def test_one_module_has_the_functions_name(tmp_path: Path) -> None:
    (given,) = networks(tmp_path, "def made():\n    return nn.Linear(2, 3)\n")
    assert (given.name, given.inputs) == ("made", None)
    assert given.module.weight.is_meta


def test_networks_are_made_one_at_a_time_and_dropped(tmp_path: Path) -> None:
    body = """
import weakref
alive = weakref.WeakSet()
def made():
    for width in range(1, 4):
        assert len(alive) == 0, len(alive)
        module = nn.Linear(width, width)
        alive.add(module)
        yield f"width {width}", module, (width,)
        del module
"""
    (tmp_path / "nets.py").write_text(HEAD + body)
    names = []
    for given in Source.of(f"{tmp_path / 'nets.py'}:made").open():
        names.append((given.name, given.inputs))
        del given
    assert names == [(f"width {n}", Inputs((Input((n,)),))) for n in (1, 2, 3)]


def test_a_list_is_as_good_as_a_generator_and_its_length_is_known(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        HEAD + "def made():\n    return [('a', nn.ReLU()), ('b', nn.ReLU())]\n"
    )
    assert Source.of(f"{tmp_path / 'nets.py'}:made").open().count == 2


def test_a_function_of_a_package_is_found() -> None:
    source = Source.of("torch.nn:Identity")
    assert ([given.name for given in source.open()], source.name) == (["Identity"], "torch.nn")


def test_a_file_named_as_a_package_does_not_replace_it(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(HEAD + "def made():\n    return nn.ReLU()\n")
    assert [g.name for g in Source.of(f"{tmp_path / 'torch.py'}:made").open()] == ["made"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def other():\n    pass\n", "has no function 'made'"),
        ("made = 3\n", "has no function 'made'"),
        ("def made():\n    return 3\n", "returned 3; return or yield a module"),
        ("def made():\n    return 'x'\n", "returned 'x'; return or yield a module"),
        ("def made(width):\n    return nn.ReLU()\n", "TypeError: made() missing 1 required"),
        ("def made():\n    yield 3\n", "gave 3; return or yield a module"),
        ("def made():\n    yield 'a', 3\n", "gave ('a', 3); return or yield"),
        ("def made():\n    yield '', nn.ReLU()\n", "gave a network the name ''; name every one"),
        ("def made():\n    yield '\\udce4', nn.ReLU()\n", "the name '\\udce4'; name every one"),
        ("def made():\n    yield 'a\\nb', nn.ReLU()\n", "the name 'a\\nb'; name every one"),
        ("def made():\n    yield None\n    yield nn.ReLU()\n", "gave None; return or yield"),
        ("def made():\n    yield 'a', nn.ReLU(), 'x'\n", "a: input shape 'x': give (3, 224, 224)"),
        (
            "def made():\n    yield 'a', nn.ReLU(), (3, -1)\n",
            "a: input shape (3, -1): its sizes are",
        ),
        ("def made():\n    yield 'a', nn.ReLU(), (3, 'x')\n", "a: input shape (3, 'x'): give"),
        ("def made():\n    yield 'a', nn.ReLU(), {}\n", "a: input shape {}: give"),
        ("def made():\n    yield 'a', nn.ReLU(), ((3,), 'x')\n", "input type 'x': choose one of"),
        ("def made():\n    yield 1 / 0\n", "line 5 of nets.py raised ZeroDivisionError"),
        ("def made():\n    sys.exit('bye')\n", "it exits ('bye'); let it return"),
        ("def made():\n    raise ValueError('a\\nb')\n", "raised ValueError: a; correct it"),
        ("import no_such_package\n", "No module named 'no_such_package'; install it"),
        ("def made(:\n", "line 4 of nets.py is no Python (invalid syntax); correct it"),
        ("def made():\n    return nn.ReLU(1 / 0)\n", "raised"),
    ],
)
def test_a_fault_of_the_source_is_one_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(SnapError) as error:
        networks(tmp_path, body)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nets.py", "write file.py:function or package.module:function"),
        (":made", "write file.py:function"),
        ("nets.py:a b", "write file.py:function"),
        ("missing/nets.py:made", "missing/nets.py: no such file"),
        ("no_such_package:made", "No module named 'no_such_package'"),
    ],
)
def test_a_source_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(SnapError, match=message.replace(".", r"\.")):
        Source.of(text).open()


@pytest.mark.parametrize(
    ("text", "value", "meant"),
    [
        ("3x224x224", (3, 224, 224), Input((3, 224, 224))),
        ("int64:128", ((128,), "int64"), Input((128,), "int64")),
        ("128", [128], Input((128,))),
        ("mask=bool:128", {"mask": ((128,), "bool")}, Input((128,), "bool", "mask")),
    ],
)
def test_inputs_are_read_from_text_and_from_python(text: str, value: object, meant: Input) -> None:
    assert parse_input(text) == meant
    assert read_inputs(value) == Inputs((meant,))


def test_several_inputs_are_positional_or_named() -> None:
    assert len(read_inputs(((3, 8, 8), ((4,), "int64"))).items) == 2
    positional, named = read_inputs({"a": (1,), "b": (2,)}).tensors()
    assert (positional, {name: tuple(t.shape) for name, t in named.items()}) == (
        (),
        {"a": (1, 1), "b": (1, 2)},
    )


@pytest.mark.parametrize("text", ["", "3x", "x3", "3x-1", "a:b:3", "0x3", "9x99999999999999999999"])
def test_text_that_is_no_input_is_refused(text: str) -> None:
    with pytest.raises(SnapError, match="input"):
        parse_input(text)


def test_modules_have_no_weights_also_where_code_reads_the_values_of_tensors(
    tmp_path: Path,
) -> None:
    body = """
def made():
    yield "first", nn.Linear(2, 2)
    for width in (torch.arange(2) + 2).tolist():
        yield f"width {width}", nn.Linear(width, 2)
"""
    given = networks(tmp_path, body)
    assert [network.name for network in given] == ["first", "width 2", "width 3"]
    assert all(p.is_meta for network in given for p in network.module.parameters())
