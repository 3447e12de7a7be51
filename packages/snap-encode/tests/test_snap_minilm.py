"""The encoder that ships."""

import json
from pathlib import Path

import numpy as np
import pytest
import snap_encode
from numpy.typing import NDArray
from snap_encode import SentenceEncoder
from snap_encode.tuning.evaluate import evaluate
from snap_encode.tuning.examples import digest, examples
from snap_encode.tuning.recipe import RECIPES

_FOLDER = Path(snap_encode.__file__).parent / "bundle" / "snap-minilm"


@pytest.fixture(scope="module")
def shipped() -> SentenceEncoder:
    return SentenceEncoder("snap-minilm")


def _cosines(encoder: SentenceEncoder, *texts: str) -> NDArray[np.float32]:
    vectors = encoder.encode(texts)
    return vectors @ vectors.T


@pytest.mark.parametrize(
    "texts",
    [
        ("conv3x3", "conv5x5", "maxpool3x3"),
        ("Convolution 3x3", "Convolution 5x5", "Max pooling 3x3"),
        ("Separable convolution 3x3", "Separable convolution 5x5", "Average pooling 3x3"),
        ("Max pooling 3x3", "Max pooling 5x5", "Convolution 3x3"),
    ],
)
def test_another_kernel_is_nearer_than_another_kind_and_yet_told_apart(
    shipped: SentenceEncoder, texts: tuple[str, str, str]
) -> None:
    _, other_kernel, other_kind = _cosines(shipped, *texts)[0]
    assert other_kind + 0.2 < other_kernel < 0.98


def test_the_related_pairs_of_table_8_are_nearer_than_the_unrelated_ones(
    shipped: SentenceEncoder,
) -> None:
    related = [
        ("conv2x2", "A 2D conv layer with a 2x2 kernel."),
        ("skip connection", "residual"),
        ("maxpool", "avgpool"),
    ]
    unrelated = [("conv2x2", "maxpool"), ("nn_Dropout", "nn_BatchNorm2d")]
    assert min(_cosines(shipped, *pair)[0, 1] for pair in related) > 0.45
    assert max(_cosines(shipped, *pair)[0, 1] for pair in unrelated) < 0.3


def test_it_is_small_and_names_no_place() -> None:
    assert sum(file.stat().st_size for file in _FOLDER.iterdir()) < 3_000_000
    assert (
        json.loads((_FOLDER / "adapter_config.json").read_text())["base_model_name_or_path"] is None
    )


def test_it_was_tuned_by_default_on_the_corpus_there_is() -> None:
    record = json.loads((_FOLDER / "training.json").read_text())
    settings = record["settings"]
    assert (settings["loss"], settings["seed"]) == (next(iter(RECIPES)), 0)
    assert settings["corpus_sha256"] == digest(examples("train"))


def test_it_does_on_held_out_operators_what_its_card_says(shipped: SentenceEncoder) -> None:
    record = json.loads((_FOLDER / "training.json").read_text())
    measured = evaluate(shipped.encode, "validate")._asdict()
    assert measured == pytest.approx(record["figures"]["validate"], abs=0.02)
