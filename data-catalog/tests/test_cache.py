from pathlib import Path

import pytest
from snap_catalog.cache import cache_folder


def test_the_cache_is_in_the_systems_place_unless_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SNAP_CACHE")
    assert cache_folder().name == "snap"
