"""Whole networks read from ONNX files, good and hostile."""

import json
import math
import subprocess
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read
from snap_graphs.cli import main
from snap_graphs.formats.onnx import shape_inference
from snap_graphs.formats.onnx.files import read_network
from snap_graphs.formats.onnx.layers import read_layers
from snap_graphs.formats.onnx.model import read_graph
from snap_graphs.formats.onnx.outline import outline
from snap_graphs.networks import Layer, Network, assembled

onnx: Any = pytest.importorskip("onnx", reason="needs snap-graphs[onnx]")

FLOAT, WHOLE = 1, 7
Shape = Sequence[int | str]


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def weight(name: str, *dims: int) -> Any:
    """A tensor of zeros; one that is too large to hold is left without values."""
    size = math.prod(dims)
    content = bytes(4 * size) if 0 <= size < 2**20 else b""
    return onnx.TensorProto(name=name, dims=dims, data_type=FLOAT, raw_data=content)


def whole(name: str, *values: int) -> Any:
    return onnx.helper.make_tensor(name, WHOLE, [len(values)], values)


def value(name: str, shape: Shape | None, kind: int = FLOAT) -> Any:
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: Sequence[Any],
    tensors: Sequence[Any] = (),
    shape: Shape = (1, 3, 8, 8),
    *,
    version: int = 20,
    inputs: Sequence[Any] | None = None,
    outputs: Sequence[Any] | None = None,
) -> Any:
    """A model whose input is x and whose output is the last node's first."""
    inputs = [value("x", shape)] if inputs is None else inputs
    outputs = [value(nodes[-1].output[0], None)] if outputs is None else outputs
    graph = onnx.helper.make_graph(nodes, "net", inputs, outputs, tensors)
    opsets = [onnx.helper.make_opsetid("", version), onnx.helper.make_opsetid("own", 1)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)


def network(made: Any, *inputs: tuple[int, ...]) -> Network:
    return read_network(made.SerializeToString(), inputs)


def refused(made: Any, *inputs: tuple[int, ...]) -> str:
    with pytest.raises(SnapError) as caught:
        network(made, *inputs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def convolution(**attributes: Any) -> Any:
    """One 3x3 convolution of 4 channels."""
    known = {"pads": [1, 1, 1, 1], **attributes}
    return model([node("Conv", "x w", "y", **known)], [weight("w", 4, 3, 3, 3)])


def test_convolutions_with_what_follows_have_their_costs() -> None:
    made = model(
        [
            node("Conv", "x w", "a", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("BatchNormalization", "a scale shift mean var", "b"),
            node("Relu", "b", "c"),
            node("Conv", "c dw bias", "d", group=4, pads=[1, 1, 1, 1]),
            node("HardSwish", "d", "e"),
            node("GlobalAveragePool", "e", "f"),
            node("Flatten", "f", "g"),
            node("Gemm", "g fc fb", "h", transB=1),
        ],
        [
            weight("w", 4, 3, 3, 3),
            *(weight(name, 4) for name in ("scale", "shift", "mean", "var", "bias")),
            weight("dw", 4, 1, 3, 3),
            weight("fc", 10, 4),
            weight("fb", 10),
        ],
    )
    found = network(made)
    assert found.nodes == (
        "input",
        "conv3x3-s2-bn-relu",
        "dwconv3x3-hswish",
        "global-avgpool",
        "linear",
        "output",
    )
    assert found.params == (0, 108 + 8, 36 + 4, 0, 50, 0)
    assert found.flops == (0, 108 * 16, 36 * 16, 0, 40, 0)
    assert found.activations == 4 * 16 + 4 * 16 + 10
    assert found.shapes[1:4] == ((4, 4, 4), (4, 4, 4), (4, 1, 1))


SCALARS = [
    onnx.helper.make_tensor(name, FLOAT, [], [number])
    for name, number in (("one", 1), ("two", 2), ("three", 3), ("six", 6), ("zero", 0))
]
DECOMPOSED = {
    "silu": [node("Sigmoid", "x", "s"), node("Mul", "x s", "y")],
    "hswish": [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "b"),
        node("Mul", "x b", "c"),
        node("Div", "c six", "y"),
    ],
    "gelu": [
        node("Div", "x two", "a"),
        node("Erf", "a", "b"),
        node("Add", "b one", "c"),
        node("Mul", "x c", "d"),
        node("Mul", "d two", "y"),
    ],
    "gelu by tanh": [
        node("Mul", "x two", "h"),
        node("Pow", "x three", "a"),
        node("Add", "x a", "b"),
        node("Tanh", "b", "c"),
        node("Add", "c one", "d"),
        node("Mul", "h d", "y"),
    ],
    "mish": [node("Softplus", "x", "a"), node("Tanh", "a", "b"), node("Mul", "x b", "y")],
    "relu6": [node("Clip", "x zero six", "y")],
    "square": [node("Pow", "x two", "y")],
    "rms": [
        node("Pow", "x two", "a"),
        node("ReduceMean", "a last", "b"),
        node("Sqrt", "b", "c"),
        node("Div", "x c", "y"),
    ],
    "ln": [
        node("ReduceMean", "x last", "m"),
        node("Sub", "x m", "s"),
        node("Pow", "s two", "a"),
        node("ReduceMean", "a last", "b"),
        node("Add", "b one", "e"),
        node("Sqrt", "e", "c"),
        node("Div", "s c", "d"),
        node("Mul", "d gain", "g"),
        node("Add", "g shift", "y"),
    ],
}


def test_activations_and_normalisations_written_out_are_recognised() -> None:
    """All are in one model, each after a convolution, so that shapes are inferred once."""
    nodes, before = [], "x"
    for step, (name, made) in enumerate(DECOMPOSED.items()):
        nodes.append(node("Conv", f"{before} w", f"conv{step}"))
        given = {"x": f"conv{step}", "y": f"out{step}", **{t.name: t.name for t in SCALARS}}
        given |= {"last": "last", "gain": "gain", "shift": "shift"}
        for each in made:
            renamed = onnx.NodeProto()
            renamed.CopyFrom(each)
            for side in (renamed.input, renamed.output):
                side[:] = [given.get(value, f"{value}{step}") for value in side]
            nodes.append(renamed)
        before = given["y"]
        assert name
    tensors = [weight("w", 3, 3, 1, 1), whole("last", -1), weight("gain", 8), weight("shift", 8)]
    found = network(model(nodes, [*SCALARS, *tensors]))
    names = [name.split()[0] for name in DECOMPOSED]
    assert found.nodes == ("input", *(f"conv1x1-{name}" for name in names), "output")
    assert found.params[-2] == 16
    assert sum(found.params) == 9 + 16


def test_an_attention_of_matrix_products_is_one_operator() -> None:
    nodes = []
    for part in "qkv":
        nodes += [
            node("MatMul", f"x w{part}", f"{part}0"),
            node("Reshape", f"{part}0 split", f"{part}1"),
            node("Transpose", f"{part}1", f"{part}2", perm=[0, 2, 1, 3]),
        ]
    nodes += [
        node("Transpose", "k2", "kt", perm=[0, 1, 3, 2]),
        node("MatMul", "q2 kt", "scores"),
        node("Mul", "scores two", "scaled"),
        node("Softmax", "scaled", "weights"),
        node("MatMul", "weights v2", "mixed"),
        node("Transpose", "mixed", "back", perm=[0, 2, 1, 3]),
        node("Reshape", "back join", "joined"),
        node("MatMul", "joined wo", "y0"),
        node("Add", "y0 bias", "y1"),
        node("Add", "y1 x", "y"),
    ]
    tensors = [
        *(weight(f"w{part}", 8, 8) for part in "qkvo"),
        weight("bias", 8),
        whole("split", 1, 5, 2, 4),
        whole("join", 1, 5, 8),
        *SCALARS,
    ]
    found = network(model(nodes, tensors, (1, 5, 8)))
    assert found.nodes == ("input", "attention-h2", "output")
    assert found.edges == ((0, 1), (0, 2), (1, 2))
    assert found.params[1] == 4 * 64 + 8
    assert found.flops[1] == 4 * 5 * 64 + 2 * 5 * 5 * 8
    assert found.activations == 4 * 5 * 8 + 2 * 25 + 40


def test_a_fused_attention_counts_both_products() -> None:
    made = model([node("Attention", "x x x", "y", q_num_heads=2, kv_num_heads=2)], version=23)
    made.graph.input[0].CopyFrom(value("x", (1, 5, 8)))
    found = network(made)
    assert found.nodes == ("input", "attention-h2", "output")
    assert found.flops[1] == 2 * 5 * 5 * 8
    assert found.activations == 2 * 25 + 40


def test_what_is_not_known_is_an_operator_of_its_own_name() -> None:
    nodes = [
        node("Det", "x", "a"),
        node("Conv", "x", "b", domain="own"),
        node("Concat", "a a", "y", axis=0),
    ]
    made = model(nodes)
    made.graph.value_info.append(value("b", (1, 3)))
    found = network(made)
    assert found.nodes == ("input", "other:det", "other:own.Conv", "output")
    assert found.descriptions["other:own.Conv"] == 'Operation "own.Conv"'


def test_sizes_that_the_model_computes_are_known() -> None:
    nodes = [
        node("Shape", "x", "s", start=0, end=2),
        node("Concat", "s rest", "t", axis=0),
        node("Reshape", "x t", "r"),
        node("ReduceMean", "r axes", "y"),
    ]
    made = model(nodes, [whole("rest", -1), whole("axes", 2)], ("batch", 3, 8, 8))
    assert network(made).nodes == ("input", "global-avgpool", "output")


def test_costs_are_for_one_input_of_a_batch() -> None:
    def costs(batch: int | str) -> tuple[int, int]:
        made = model([node("Conv", "x w", "y")], [weight("w", 4, 3, 3, 3)], (batch, 3, 8, 8))
        found = network(made)
        return found.flops[1], found.activations

    assert costs(4) == costs("batch") == (108 * 36, 4 * 36)


def test_buffers_that_the_exporter_lists_are_no_parameters() -> None:
    nodes = [node("Add", "x mask", "a"), node("Add", "a table", "y")]
    made = model(nodes, [weight("mask", 8, 8), weight("table", 8, 8)])
    made.graph.metadata_props.add(
        key="pkg.torch.export.ExportedProgram.graph_signature",
        value="b_mask: BUFFER target='mask' persistent=True",
    )
    assert sum(network(made).params) == 64


def test_open_dimensions_take_the_shape_that_is_given() -> None:
    made = model([node("Relu", "x", "y")], (), ("n", 3, "side", "side"))
    assert "--input 3x224x224" in refused(made)
    assert network(made, (3, 16, 16)).shapes[0] == (3, 16, 16)
    assert "has 3 where --input has 4" in refused(made, (4, 16, 16))
    assert "has 4 dimensions" in refused(made, (3, 16))
    assert "--input is given 2 times for 1 inputs" in refused(made, (3, 16, 16), (3,))


# What is refused, and what the message says.


def external(made: Any) -> Any:
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/dev/zero")
    return made


def nested() -> Any:
    body = convolution().graph
    return model([node("If", "x", "y", then_branch=body, else_branch=body)])


def with_function() -> Any:
    made = convolution()
    made.functions.add(name="f", domain="own")
    return made


def sparse() -> Any:
    made = convolution()
    made.graph.sparse_initializer.add()
    return made


def twice() -> Any:
    made = convolution()
    made.graph.initializer.append(made.graph.initializer[0])
    return made


def relu(inputs: str = "x", outputs: str = "y") -> Any:
    return node("Relu", inputs, outputs)


def sequence() -> Any:
    entry = onnx.helper.make_tensor_sequence_value_info("x", FLOAT, None)
    return model([relu()], inputs=[entry])


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "nested graph": (nested, "a graph of its own"),
    "functions": (with_function, "functions of its own"),
    "sparse tensor": (sparse, "sparse tensors"),
    "tensor twice": (twice, "holds the tensor 'w' twice"),
    "cycle": (lambda: model([relu("z", "y"), relu("y", "z")]), "without cycles"),
    "not in order": (lambda: model([relu("a", "y"), relu("x", "a")]), "topological order"),
    "missing input": (lambda: model([relu("gone", "y")]), "reads 'gone'"),
    "made twice": (lambda: model([relu(), relu()]), "'y' is made twice"),
    "no output of a node": (
        lambda: model([relu(), node("Relu", "x", "")], outputs=[value("y", None)]),
        "has no output",
    ),
    "no input": (lambda: model([relu("w")], [weight("w", 1)], inputs=[]), "has no input"),
    "no output": (lambda: model([relu()], outputs=[]), "has no output"),
    "other output": (lambda: model([relu()], outputs=[value("z", None)]), "the output 'z'"),
    "no shape": (lambda: model([relu()], inputs=[value("x", None)]), "has no shape"),
    "sequence": (sequence, "is no tensor"),
    "huge tensor": (lambda: model([relu()], [weight("w", 2**40, 2**40)]), "has the dimensions"),
    "negative tensor": (lambda: model([relu()], [weight("w", -4, 4)]), "has the dimensions"),
    "huge input": (lambda: model([relu()], (), (1, 2**40, 2**40)), "has the dimensions"),
    "long operator": (lambda: model([node("R" * 1000, "x", "y")]), "has the operator"),
}  # fmt: skip
REFUSED_LATER: dict[str, tuple[Callable[[], Any], str]] = {
    "huge kernel": (
        lambda: model([node("MaxPool", "x", "y", kernel_shape=[10**9, 10**9])]),
        "has the dimensions|kernel_shape|cannot be inferred",
    ),
    "negative stride": (lambda: convolution(strides=[-1, -1]), "strides|cannot be inferred"),
    "no groups": (lambda: convolution(group=0), "0 groups|cannot be inferred"),
    "other channels": (
        lambda: model([node("Conv", "x w", "y")], [weight("w", 4, 5, 3, 3)]),
        "5 channels|cannot be inferred",
    ),
    "unknown shape": (lambda: model([node("Own", "x", "y", domain="own")]), "cannot be inferred"),
    "computed size": (
        lambda: model(
            [node("ConstantOfShape", "big", "a"), node("Add", "x a", "y")],
            [whole("big", 2**30, 2**30, 2**30)],
        ),
        "has the dimensions|cannot be inferred",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_models_are_refused_before_shapes_are_inferred(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    made, reason = REFUSED[name]
    assert reason in refused(made())


@pytest.mark.parametrize("name", REFUSED_LATER)
def test_senseless_shapes_are_refused(name: str) -> None:
    made, reason = REFUSED_LATER[name]
    with pytest.raises(SnapError, match=reason):
        network(made())


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK", b"\xff" * 100, b"\x3a\x02\x0a\x7f"])
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    with pytest.raises(SnapError, match="no ONNX model"):
        read_network(content)


def test_external_data_stays_unopened() -> None:
    assert network(external(convolution())).params == (0, 108, 0)


def test_weights_are_not_read() -> None:
    """An outline takes no memory for 64 MiB of weights, nor for texts that people read."""
    made = model([node("Conv", "x w", "y")], [weight("w", 4, 3, 3, 3)])
    made.graph.initializer[0].raw_data = bytes(1 << 26)
    made.graph.node[0].doc_string = "x" * (1 << 20)
    content = made.SerializeToString()
    tracemalloc.start()
    kept = outline(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) < 1000
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("bound", "reason"),
    [("MOST_NODES", "more than 1 nodes"), ("MOST_FIELDS", "fields"), ("MOST_BYTES", "MiB")],
)
def test_models_beyond_the_bounds_are_refused(
    bound: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"snap_graphs.formats.onnx.outline.{bound}", 1)
    with pytest.raises(SnapError, match=reason):
        outline(model([relu("x", "a"), relu("a", "y")]).SerializeToString())


@pytest.mark.parametrize(
    ("script", "seconds", "reason"),
    [
        ("import os; os.abort()", 300, "out of bounds"),
        ("import time; time.sleep(300)", 1, "more than 1 seconds"),
    ],
)
def test_a_crash_or_an_endless_inference_ends_in_one_line(
    script: str, seconds: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "script.py"
    path.write_text(script)
    monkeypatch.setattr(shape_inference, "_SCRIPT", path)
    monkeypatch.setattr(shape_inference, "_SECONDS", seconds)
    assert reason in refused(convolution())


VALID = external(convolution(strides=[2, 2])).SerializeToString()


@settings(max_examples=200)
@example([(VALID.index(b"Conv") - 1, 12)])  # an operator with a line break
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_model_is_read_or_refused_in_one_line(changes: list[tuple[int, int]]) -> None:
    content = bytearray(VALID)
    for place, byte in changes:
        content[place] = byte
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shape_inference, "inferred", lambda made: made.SerializeToString())
        try:
            read_network(bytes(content))
        except SnapError as error:
            assert "\n" not in str(error)  # noqa: PT017


# Files, folders and the command.


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", "onnx", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two networks, a damaged file, and weights beside them."""
    path = tmp_path / "nets"
    (path / "small").mkdir(parents=True)
    (path / "a.onnx").write_bytes(convolution().SerializeToString())
    (path / "small" / "b.onnx").write_bytes(external(convolution()).SerializeToString())
    (path / "c.onnx").write_bytes(b"no model")
    (path / "b.onnx.data").write_bytes(b"weights")
    return path


def test_a_folder_becomes_a_file_of_graphs(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    failed = run(out, "--source", folder)
    assert failed.exit_code == 1
    assert "record c.onnx: it is no ONNX model" in failed.output
    assert not out.exists()
    done = run(out, "--source", folder, "--skip-bad")
    assert done.exit_code == 0, done.output
    assert "1 bad records skipped" in done.output
    table = read(out, "graphs")
    assert table["arch_id"].to_pylist() == ["a", "small/b"]
    assert table["space"].to_pylist() == ["nets", "nets"]
    assert table["params"].to_pylist() == [108, 108]
    metadata = decode_metadata(table.schema)
    assert json.loads(metadata["snap.operators"]) == {"conv3x3": "Convolution 3x3"}
    assert metadata["snap.benchmark"] == "onnx"


def test_a_zip_file_is_read_without_its_other_members(folder: Path, tmp_path: Path) -> None:
    archive, out = tmp_path / "nets.zip", tmp_path / "out.parquet"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(folder / "a.onnx", "a.onnx")
        # Reading this one would be refused: the method is uncommon.
        packed.writestr("weights.data", b"unread", zipfile.ZIP_BZIP2)
    done = run(out, "--source", archive, "--space", "mine")
    assert done.exit_code == 0, done.output
    assert read(out, "graphs")["space"].to_pylist() == ["mine"]


def test_links_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "a.onnx").unlink()
    (folder / "a.onnx").symlink_to(folder / "small" / "b.onnx")
    result = run(tmp_path / "out.parquet", "--source", folder)
    assert result.exit_code == 1
    assert "record a.onnx: it is a link" in result.output
    result = run(tmp_path / "out.parquet", "--source", folder, "--skip-bad")
    assert result.exit_code == 0
    assert "a" not in read(tmp_path / "out.parquet", "graphs")["arch_id"].to_pylist()


def test_a_space_of_cells_is_refused_as_a_name(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "out.parquet", "--source", folder, "--space", "nb201")
    assert result.exit_code == 1
    assert "nb201 is the name of a known search space" in result.output


@pytest.mark.parametrize("options", [("--space", "mine"), ("--input", "3x8x8")])
def test_options_of_onnx_are_refused_elsewhere(options: tuple[str, str], tmp_path: Path) -> None:
    arguments = ["convert", "custom", str(tmp_path / "out.parquet"), "--source", "x", *options]
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_a_shape_is_numbers_between_x(tmp_path: Path) -> None:
    result = run(tmp_path / "out.parquet", "--source", "a.onnx", "--input", "3x0")
    assert result.exit_code == 2
    assert "'3x0' is not a shape" in result.output


def test_without_the_library_the_remedy_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_catalog.extras.find_spec", lambda package: None)
    result = run(tmp_path / "out.parquet", "--source", folder)
    assert "pip install 'snap-graphs[onnx]'" in result.output


@pytest.mark.slow
@pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs snap-evo[build]")
def test_a_torch_export_is_the_graph_that_the_traced_module_has(tmp_path: Path) -> None:
    import torch
    from snap_graphs.torch.trace import read_inputs, trace_module
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8))
            self.squeeze, self.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
            self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.silu(self.stem(x))
            gates = self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
            tokens = (x * gates).flatten(2).transpose(1, 2)
            logits: torch.Tensor = self.head(self.norm(tokens).mean(1))
            return logits

    net = Net().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net, (torch.zeros(1, 3, 16, 16),), dynamo=True, verbose=False, optimize=False
        )
    path = tmp_path / "net.onnx"
    program.save(path)  # type: ignore[union-attr]
    found = read_network(path.read_bytes())
    assert found.nodes == (
        "input",
        "conv3x3-s2-bn-silu",
        "se-r4",
        "ln",
        "global-avgpool",
        "linear",
        "output",
    )
    assert sum(found.params) == sum(p.numel() for p in net.parameters())
    assert found.activations == 8 * 64 + 2 + 8 + 10
    assert found == assembled(trace_module(net, read_inputs((3, 16, 16))))


def test_a_graph_is_read_as_layers_that_make_up_the_network() -> None:
    graph = read_graph(outline(convolution().SerializeToString()))
    layers: list[Layer] = read_layers(graph)
    assert [layer.kind for layer in layers] == ["input", "convolution", "output"]
    assert assembled(layers).nodes == ("input", "conv3x3", "output")


def test_a_batch_that_joined_a_dimension_is_taken_out_of_it() -> None:
    made = model([node("Reshape", "x s", "a"), relu("a", "y")], [whole("s", -1, 64)], (4, 3, 8, 8))
    assert network(made).shapes == ((3, 8, 8), (3, 64), (3, 64))
