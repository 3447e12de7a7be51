import logging
import subprocess
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from snap_catalog import SnapError
from snap_encode import SentenceEncoder, encode
from snap_encode.libraries import silenced

# Table 8, "before finetune". Its row conv2x2, maxpool (0.2102) is at odds with its own last row,
# the same two the other way round (0.2277); the untuned model gives the latter.
_TABLE_8 = [
    ("conv2x2", "A 2D conv layer with a 2x2 kernel.", 0.6052),
    ("nn_Dropout", "nn_BatchNorm2d", 0.4629),
    ("skip connection", "residual", 0.0584),
    ("maxpool", "avgpool", 0.2907),
    ("maxpool", "conv2x2", 0.2277),
]


@pytest.mark.parametrize(("one", "other", "similarity"), _TABLE_8)
def test_the_untuned_model_gives_the_similarities_of_the_paper(
    encoder: SentenceEncoder, one: str, other: str, similarity: float
) -> None:
    first, second = encoder.encode([one, other])
    assert float(first @ second) == pytest.approx(similarity, abs=1e-4)


def test_vectors_are_float32_of_length_one_in_the_order_of_the_texts(
    encoder: SentenceEncoder,
) -> None:
    texts = ["Convolution 3x3", "None", "Average pooling 3x3"]
    vectors = encoder.encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector, atol=1e-6)


def test_no_text_gives_no_vector(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


@settings(max_examples=15, deadline=None)
@given(others=st.lists(st.text(max_size=200), max_size=80))
def test_a_vector_does_not_depend_on_the_other_texts(
    encoder: SentenceEncoder, others: list[str]
) -> None:
    alone = _computed(encoder, ["Convolution 3x3"])["Convolution 3x3"]
    among = _computed(encoder, [*others, "Convolution 3x3"])["Convolution 3x3"]
    np.testing.assert_allclose(among, alone, atol=1e-6)


def test_equal_calls_give_equal_bytes(encoder: SentenceEncoder) -> None:
    texts = [f"Convolution {k}x{k}" for k in range(100)]
    first, second = _computed(encoder, texts), _computed(encoder, texts)
    assert [first[t].tobytes() for t in texts] == [second[t].tobytes() for t in texts]


def _computed(encoder: SentenceEncoder, texts: list[str]) -> dict[str, NDArray[np.float32]]:
    """The vectors without the cache."""
    vectors: dict[str, NDArray[np.float32]] = {}
    for batch in encoder._compute(texts, quiet=True):
        vectors.update(batch)
    return vectors


@pytest.fixture
def seen(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the network has been given, and a cache with nothing in it."""
    texts: list[str] = []
    original = encoder._network.encode

    def spy(batch: list[str], **options: object) -> object:
        texts.extend(batch)
        return original(batch, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(encoder._network, "encode", spy)
    return texts


@pytest.mark.usefixtures("cache")
def test_a_text_that_recurs_is_encoded_once(encoder: SentenceEncoder, seen: list[str]) -> None:
    vectors = encoder.encode(["None", "Input", "None"])
    assert sorted(seen) == ["Input", "None"]
    assert (vectors[0] == vectors[2]).all()


@pytest.mark.usefixtures("cache")
def test_only_what_was_never_encoded_is_given_to_the_network(
    encoder: SentenceEncoder, seen: list[str]
) -> None:
    first = encoder.encode(["None", "Input"])
    second = encoder.encode(["Output", "Input"])
    assert seen == ["None", "Input", "Output"]
    assert (second[1] == first[1]).all()


@pytest.mark.usefixtures("cache")
def test_what_was_encoded_before_an_interruption_is_kept(
    encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(batch: list[str], **options: object) -> object:
        if "last" in batch:
            raise KeyboardInterrupt
        return np.ones((len(batch), 384), np.float32)

    texts = [f"{i:03}" for i in range(64)]
    monkeypatch.setattr(encoder._network, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encoder.encode([*texts, "last"])
    assert (encoder.encode(texts) == 1).all()


def test_an_encoder_is_found_as_a_plug_in_of_its_models_name() -> None:
    (plug_in,) = entry_points(group="snap.encoders", name="MiniLM-64")
    assert plug_in.load()().encode(["Convolution 3x3"]).shape == (1, 64)


def test_a_model_folder_is_loaded_and_mean_pooled(tiny: Path) -> None:
    encoder = SentenceEncoder(str(tiny))
    assert encoder.name == "tiny"
    assert encoder.encode(["Input", "Output"]).shape == (2, 8)
    (tiny / "modules.json").unlink()
    plain = encode(["Input"], model=str(tiny))[0]
    np.testing.assert_allclose(
        plain / np.linalg.norm(plain), encoder.encode(["Input"])[0], atol=1e-6
    )


def test_a_damaged_model_folder_is_refused_in_one_line(tiny: Path) -> None:
    (tiny / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(SnapError, match="not a sentence-transformers model") as caught:
        encode(["Input"], model=str(tiny))
    assert "\n" not in str(caught.value)


def test_code_that_a_model_folder_brings_is_not_run(tiny: Path) -> None:
    (tiny / "evil.py").write_text("raise SystemExit('run')")
    listing = (tiny / "modules.json").read_text()
    name = "sentence_transformers.models.Normalize"
    assert name in listing
    (tiny / "modules.json").write_text(listing.replace(name, "evil.Evil"))
    with pytest.raises(SnapError, match=r"'evil\.Evil', which is not part"):
        encode(["Input"], model=str(tiny))


def test_libraries_stay_silent_and_get_their_settings_back(
    tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import torch
    from transformers.utils import logging as bars

    (tiny / "modules.json").unlink()
    shown, threads = bars.is_progress_bar_enabled(), torch.get_num_threads()
    encode(["Input"], model=str(tiny))
    assert capfd.readouterr() == ("", "")
    assert bars.is_progress_bar_enabled() == shown
    assert torch.get_num_threads() == threads
    assert logging.root.manager.disable == logging.NOTSET


def test_hushed_silences_warnings_and_logs_and_lets_exceptions_rise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with silenced():
        warnings.warn("unseen", stacklevel=1)
        logging.getLogger("transformers").error("unseen")
    with pytest.raises(ValueError, match="risen"), silenced():
        raise ValueError("risen")
    assert capfd.readouterr().err == ""
    with pytest.warns(UserWarning, match="seen"):
        warnings.warn("seen", stacklevel=1)


def test_importing_the_package_and_its_command_loads_nothing_heavy() -> None:
    heavy = {"torch", "numpy", "pyarrow", "transformers", "sentence_transformers"}
    code = f"import sys, snap_encode.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
