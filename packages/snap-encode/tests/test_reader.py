from collections.abc import Mapping
from pathlib import Path
from random import Random
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from snap_catalog import SnapError, operators
from snap_catalog.readings import SURE
from snap_catalog.registers import UNREADABLE, Wording, wordings
from snap_encode import Reading, read
from snap_encode.reading import Reader
from snap_encode.reading.classifier import WEIGHTS, Head
from snap_encode.reading.kinds import KINDS
from snap_encode.reading.reading import UNSURE


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


_GOLDEN = {
    "convolution": (
        "a vanilla convolution using a 7-by-7 kernel",
        "Conv layer, 5\u00d75, stride 2, BN and ReLU afterwards",
        "a learned filter of 3 by 3 slides over the image",
        "self.op = nn.Conv2d(64, 64, 5, padding=2)",
        "projection by a 1x1 conv",
        "eine Faltung mit 3x3-Kern",
    ),
    "dilated_convolution": (
        "dilated conv 3x3, rate 4",
        "an à trous filter bank, kernel size five",
        "Conv2D(32, 3, dilation_rate=2)",
    ),
    "grouped_convolution": ("grouped conv3x3 with 8 groups",),
    "depthwise_convolution": (
        "nn.Conv2d(c, c, 7, padding=3, groups=c)",
        "depthwise filtering with a 9x9 kernel, one filter per channel",
    ),
    "separable_convolution": (
        "depthwise-separable layer of kernel size 5",
        "SeparableConv2D(64, (3, 3))",
        "5x5 深度可分离卷积",
    ),
    "dilated_separable_convolution": ("separable 5x5 conv with holes, dilation 2",),
    "factorised_convolution": ("1x7 followed by 7x1 convolution",),
    "transposed_convolution": (
        "learned upsampling by a transposed convolution of size 4",
        "convolution transposée 3x3",
    ),
    "deformable_convolution": ("deformable conv v2, 3x3",),
    "max_pooling": (
        "takes the maximum of each 3x3 window",
        "MaxPool 2x2, stride 2",
        "F.max_pool2d(h, 5, stride=1)",
        "agrupación máxima de 3x3",
    ),
    "average_pooling": (
        "averaging filter over a 3x3 neighbourhood",
        "AveragePooling2D(pool_size=7)",
        "Mittelwert über ein 3x3-Fenster",
    ),
    "global_average_pooling": ("average every channel over the whole image", "GAP layer"),
    "identity": ("does nothing, hands its input on", "shortcut without weights"),
    "zero": ("drops the connection, outputs zeros", "the edge is absent"),
    "upsampling": ("nearest-neighbour upsampling by two",),
    "pixel_shuffle": ("PixelShuffle with factor 2",),
    "normalisation": ("batch normalisation layer", "nn.LayerNorm(256)"),
    "activation": ("the rectifier, max(0, x)", "GELU nonlinearity"),
    "dropout": ("randomly silences units during training (p = 0.5)",),
    "linear": ("dense layer with 128 units",),
    "feed_forward": ("two-layer perceptron",),
    "self_attention": ("multi-head self-attention over all tokens",),
    "squeeze_excite": ("SE block, reduction 16",),
    "inverted_residual": ("MBConv6 5x5",),
    "fused_inverted_residual": ("fused MBConv, 3x3, expansion ratio 4",),
    "residual_block": ("ResNet basic block of two 3x3 convs",),
    "convnext_block": ("ConvNeXt-style block with a 7x7 depthwise conv",),
    "transformer_block": ("transformer encoder block",),
    "recurrent": ("an LSTM cell",),
    "graph_convolution": ("GCN layer",),
    "graph_attention": ("graph attention with 4 heads",),
    "addition": ("element-wise sum of both branches",),
    "concatenation": ("joins the branches along the channel axis",),
    "flatten": ("reshapes the maps into one long vector",),
    "input": ("the tensor that enters the cell",),
    "output": ("what the cell hands on",),
}


def test_kinds_are_read_surely_in_many_registers(reader: Reader) -> None:
    expected = {text: kind for kind, texts in _GOLDEN.items() for text in texts}
    assert set(_GOLDEN) <= set(KINDS)
    assert len(expected) >= 55
    readings = reader.read(list(expected))
    missed = {
        each.text: each.summary
        for each in readings
        if each.kind != expected[each.text] or each.weight < 1
    }
    assert len(missed) <= 0.05 * len(expected), missed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5x5 conv", {"kernel": (5, 5), "stride": None, "dilation": None}),
        ("Conv2D(8, (1, 7), strides=2)", {"kernel": (1, 7), "stride": 2}),
        ("pointwise convolution", {"kernel": (1, 1)}),
        ("dilated 3x3 convolution", {"kernel": (3, 3), "dilation": 2}),
        ("3x3 convolution, 8 groups", {"kind": "grouped_convolution", "groups": 8}),
        ("MBConv 5x5, expansion 6", {"expansion": 6, "kernel": (5, 5)}),
        ("leaky ReLU activation", {"function": "leaky_relu", "kernel": None}),
        ("GRU layer", {"kind": "recurrent", "function": "gru"}),
        ("conv3x3 then batch norm and ReLU", {"follows": ("batch norm", "relu")}),
    ],
)
def test_a_reading_holds_what_the_text_states(
    reader: Reader, text: str, expected: Mapping[str, object]
) -> None:
    (found,) = reader.read([text])
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_kernel_that_is_not_stated_is_assumed_and_marked(reader: Reader) -> None:
    (found,) = reader.read(["a plain convolution"])
    assert (found.kernel, found.confidence["kernel"]) == ((3, 3), 0)
    assert found.summary == "convolution, kernel 3x3 (assumed)"


_CATALOGUED = ("nb101", "nb201", "darts", "nds", "transnas-micro")


@pytest.mark.parametrize("space", _CATALOGUED)
def test_a_catalogued_description_is_surely_read_as_itself(reader: Reader, space: str) -> None:
    texts = [operator.descriptions["short"] for operator in operators()[space]]
    readings = reader.read(texts)
    assert [each.sentence for each in readings] == texts
    assert all(each.confidence["kind"] >= SURE for each in readings)


def test_a_sentence_is_read_as_what_it_was_made_of(reader: Reader) -> None:
    texts = [text for texts in _GOLDEN.values() for text in texts]
    first = [each for each in reader.read(texts) if each.weight == 1]
    again = reader.read([each.sentence for each in first])
    assert [each.sentence for each in again] == [each.sentence for each in first]


def test_equal_texts_have_equal_readings(reader: Reader) -> None:
    first, _, second = reader.read(["conv 3x3", "a sentence of another length", "conv 3x3"])
    assert first == second == read("conv 3x3")


@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "???", "Good morning, Vienna!"])
def test_what_describes_no_operator_is_unreadable(reader: Reader, text: str) -> None:
    (found,) = reader.read([text])
    assert not found.readable
    assert found.weight == 0
    assert found.doubt(found) is not None


def test_most_random_words_are_unreadable_and_few_are_surely_read(reader: Reader) -> None:
    words = ["".join(Random(seed).choices(ascii_lowercase, k=9)) for seed in range(200)]
    readings = reader.read(words)
    assert np.mean([each.readable for each in readings]) < 0.5
    assert np.mean([each.weight == 1 for each in readings]) < 0.2


def _doubt(reader: Reader, name: str, text: str) -> str | None:
    said, described = reader.read([name, text])
    return described.doubt(said)


@pytest.mark.parametrize(
    ("name", "text", "doubtful"),
    [
        ("max_pool_3x3", "a convolution with a 3x3 kernel", True),
        ("conv_3x3", "a convolution with a 5x5 kernel", True),
        ("max_pool_3x3", "takes the maximum of each 3x3 window", False),
        ("conv", "a convolution with a 5x5 kernel", False),
        ("sep_conv_3x3", "3x3 convolution", False),
        ("op7", "a convolution with a 5x5 kernel", False),
        ("qwrtpsdfg", "average pooling, 3x3", False),
        ("pool", "Max pooling 3x3", False),
        ("pooling", "Average pooling 3x3", False),
    ],
)
def test_a_name_that_says_otherwise_raises_doubt(
    reader: Reader, name: str, text: str, doubtful: bool
) -> None:
    found = _doubt(reader, name, text)
    assert (found is not None) == doubtful, found
    if found:
        assert "\n" not in found
        assert repr(name) in found
        assert "correct one of them" in found


@pytest.mark.parametrize("text", ["return x", "nn.Identity()", "torch.cat(states, dim=1)", "x"])
def test_the_ends_of_a_graph_are_known_by_their_names(reader: Reader, text: str) -> None:
    for name in ("input", "output"):
        (found,) = reader.described([(name, text)])
        assert found == (
            Reading(text, name, confidence={"kind": 1.0}, sentence=name.capitalize()),
            None,
        )


@pytest.mark.parametrize("text", ["a convolution with a 3x3 kernel", "", "qwert zuiop"])
def test_what_no_end_of_a_graph_can_be_raises_doubt(reader: Reader, text: str) -> None:
    (found,) = reader.described([("output", text)])
    assert found.reading.kind == "output"
    assert found.doubt is not None
    if "convolution" in text:
        assert "its name 'output' says output; its description convolution, kern" in found.doubt


def test_no_other_name_says_what_an_operator_is(reader: Reader) -> None:
    text = "a convolution with a 5x5 kernel"
    (found,) = reader.described([("max_pool_3x3", text)])
    assert found.reading == reader.read([text])[0]


def test_thresholds_are_where_blending_begins_and_ends() -> None:
    weights = [Reading("", "zero", confidence={"kind": k}).weight for k in (0, UNSURE, SURE, 1)]
    assert weights == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "piece", ["conv", "3x", "三", "nn.Conv2d(", "skip", "a ", "\0", "\ud800", "Aa3_"]
)
def test_hostile_texts_are_read_without_an_error(reader: Reader, piece: str) -> None:
    (found,) = reader.read([(piece * 10_000)[:10_000]])
    assert found.kind in KINDS


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_read(reader: Reader, text: str) -> None:
    (found,) = reader.read([text])
    assert found.text == text
    assert found.sentence
    assert 0 <= found.confidence["kind"] <= 1


_SPOILT = {
    "empty": b"",
    "cut off": WEIGHTS.read_bytes()[:1000],
    "overwritten": b"\xff" * 1000,
}


@pytest.mark.parametrize("content", _SPOILT.values(), ids=_SPOILT)
def test_a_damaged_classifier_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(content)
    _assert_refused(path, "damaged")


@pytest.mark.parametrize("name", ["vectors", "letters", "bias"])
def test_a_classifier_of_another_shape_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "head.safetensors"
    weights = load_file(WEIGHTS)
    save_file({**weights, name: weights[name][:3].copy()}, path)
    _assert_refused(path, "of another version")
    del weights[name]
    save_file(weights, path)
    _assert_refused(path, "damaged")


def test_a_classifier_with_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "head.safetensors"
    weights = load_file(WEIGHTS)
    weights["bias"][0] = np.nan
    save_file(weights, path)
    _assert_refused(path, "not finite")


def test_a_classifier_that_is_gone_is_named(tmp_path: Path) -> None:
    _assert_refused(tmp_path / "head.safetensors", "damaged")


def _assert_refused(path: Path, message: str) -> None:
    with pytest.raises(SnapError) as raised:
        Head(path).probabilities(["conv"], np.zeros((1, 384), np.float32))
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{path}: ")
    assert message in line
    assert line.endswith("install snap-encode again")


def _right(reader: Reader, register: str) -> float:
    same = [each for each in wordings() if each.register == register and each.kind in KINDS]
    readings = reader.read([_filled(each) for each in same])
    return float(np.mean([a.kind == b.kind for a, b in zip(readings, same, strict=True)]))


def _filled(wording: Wording) -> str:
    usual = {"stride": 1, "dilation": 2, "groups": 4, "expansion": 6, "channels": 64, "padding": 1}
    return wording.filled({"kernel": 3, **usual})


@pytest.mark.parametrize(
    ("register", "least"), [("prose", 0.88), ("keras", 0.82), ("colloquial", 0.85)]
)
def test_kinds_are_named_in_registers_that_were_held_out(
    reader: Reader, register: str, least: float
) -> None:
    assert _right(reader, register) >= least


@pytest.mark.parametrize("register", ["prose", "keras", "colloquial"])
def test_what_is_no_operator_is_noticed_in_registers_that_were_held_out(
    reader: Reader, register: str
) -> None:
    texts = [w.text for w in wordings() if w.register == register and w.kind == UNREADABLE]
    readable = [each.text for each in reader.read(texts) if each.readable]
    assert len(readable) <= 0.2 * len(texts), readable
