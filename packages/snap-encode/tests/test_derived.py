import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from snap_catalog import SnapError
from snap_encode import SentenceEncoder, encode
from snap_encode.libraries import silenced
from snap_encode.models import locate
from snap_encode.models.derived import ADAPTER, PROJECTION, write_manifest
from snap_encode.models.registry import _BUNDLE

_BASE = "all-MiniLM-L6-v2"


def _transformer(name: str) -> Any:
    first: Any = locate(name).load()[0]
    return first.model


@pytest.fixture(scope="session")
def _adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of random weights, as `snap-encode tune` leaves it."""
    import torch

    with silenced():
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(0)
        config = LoraConfig(r=2, target_modules=["query"], init_lora_weights=False)
        adapted = get_peft_model(_transformer(_BASE), config)
        folder = tmp_path_factory.mktemp("models") / "adapter"
        adapted.save_pretrained(str(folder))
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = None
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    write_manifest(folder, base=_BASE, weights=ADAPTER)
    return folder


@pytest.fixture
def adapter(_adapter: Path, tmp_path: Path) -> Path:
    """An adapter that a test may spoil."""
    return Path(shutil.copytree(_adapter, tmp_path / "adapter"))


def test_an_adapter_is_added_to_the_weights_of_its_base(adapter: Path) -> None:
    updates = load_file(adapter / ADAPTER)
    layer = "encoder.layer.0.attention.self.query"
    down, up = (updates[f"base_model.model.{layer}.lora_{x}.weight"] for x in "AB")
    base, merged = (
        _transformer(name).get_submodule(layer).weight for name in (_BASE, str(adapter))
    )
    scale = 8 / 2  # peft's default alpha, over the rank
    np.testing.assert_allclose(
        merged.detach().numpy(), (base + scale * up @ down).detach().numpy(), atol=1e-6
    )


def test_a_derived_model_is_identified_by_its_base_and_its_own_weights(adapter: Path) -> None:
    digests = (
        locate(_BASE).sha256,
        hashlib.sha256((adapter / ADAPTER).read_bytes()).hexdigest(),
    )
    model = locate(str(adapter))
    assert model.name == "adapter"
    assert model.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    settings = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**settings, "lora_alpha": 1}))
    assert locate(str(adapter)).sha256 == model.sha256
    assert locate(str(adapter)).key != model.key


def test_a_merged_model_can_be_saved_and_loaded_as_a_folder(adapter: Path, tmp_path: Path) -> None:
    with silenced():
        locate(str(adapter)).load().save_pretrained(str(tmp_path / "merged"))
    texts = ["Convolution 3x3", "None"]
    np.testing.assert_allclose(
        encode(texts, str(tmp_path / "merged")), encode(texts, str(adapter)), atol=1e-6
    )


@pytest.mark.parametrize("part", [ADAPTER, PROJECTION])
def test_weights_that_changed_are_refused_by_their_checksum(
    adapter: Path, tmp_path: Path, part: str
) -> None:
    folder = adapter
    if part == PROJECTION:
        folder = Path(shutil.copytree(_BUNDLE / "MiniLM-64", tmp_path / "projection"))
    content = bytearray((folder / part).read_bytes())
    content[-1] ^= 1
    (folder / part).write_bytes(content)
    with pytest.raises(
        SnapError, match=r"weights are damaged \(SHA-256 .*; fetch it again"
    ) as message:
        encode(["a text of no cache"], str(folder))
    assert "\n" not in str(message.value)


def test_an_adapter_without_its_weights_or_settings_is_refused(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()
    with pytest.raises(SnapError, match=f"adapter: does not fit '{_BASE}'") as message:
        locate(str(adapter)).load()
    assert "\n" not in str(message.value)
    (adapter / ADAPTER).unlink()
    with pytest.raises(SnapError, match=r"adapter_model\.safetensors: no such file"):
        locate(str(adapter)).load()


@pytest.mark.parametrize(
    "change",
    [
        {"base": "some/model"},
        {"base": "../adapter"},
        {"base_sha256": "0" * 64},
        {"weights": "../adapter_model.safetensors"},
        {"weights": "pytorch_model.bin"},
        {"base": None},
    ],
)
def test_a_manifest_that_names_something_unknown_is_refused(
    adapter: Path, change: dict[str, str]
) -> None:
    path = adapter / "snap_encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(SnapError, match=r"snap_encoder\.json: does not name a base model"):
        locate(str(adapter))


@pytest.mark.parametrize("content", ["", "[]", "{}", "7", "\xff"])
def test_a_damaged_manifest_is_refused(adapter: Path, content: str) -> None:
    (adapter / "snap_encoder.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(SnapError, match=r"snap_encoder\.json: does not name a base model"):
        locate(str(adapter))


def test_minilm_64_projects_the_vectors_of_its_base() -> None:
    texts = ["Convolution 3x3", "Max pooling 3x3"]
    directions = load_file(_BUNDLE / "MiniLM-64" / PROJECTION)["weight"].numpy()
    np.testing.assert_allclose(directions @ directions.T, np.eye(64), atol=1e-5)
    np.testing.assert_allclose(
        SentenceEncoder("MiniLM-64").encode(texts), encode(texts, _BASE) @ directions.T, atol=1e-6
    )


def test_a_projection_of_another_size_is_refused(tmp_path: Path) -> None:
    import torch

    save_file({"weight": torch.zeros(2)}, tmp_path / PROJECTION)
    write_manifest(tmp_path, base=_BASE, weights=PROJECTION)
    with pytest.raises(SnapError, match=f"does not fit '{_BASE}'"):
        locate(str(tmp_path)).load()
