import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from snap_encode.vectors import VectorCache

_KEY, _OTHER = "0f" * 32, "f0" * 32


@pytest.fixture
def file(cache: Path) -> Path:
    """Where the cache keeps a vector of the text `a`."""
    VectorCache(_KEY, quiet=True).put({"a": np.ones(4, np.float32)})
    return cache / "vectors.sqlite"


_VECTORS = st.dictionaries(st.text(st.characters()), arrays(np.float32, 4), max_size=20)


@given(vectors=_VECTORS, others=st.lists(st.text(), max_size=5))
def test_what_was_put_is_got_bit_by_bit_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    vectors: dict[str, np.ndarray],
    others: list[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAP_CACHE", str(tmp_path_factory.mktemp("cache")))
        VectorCache(_KEY, quiet=True).put(vectors)
        got = VectorCache(_KEY, quiet=True).get([*vectors, *others])
    assert got.keys() == vectors.keys()
    assert all(got[text].tobytes() == vectors[text].tobytes() for text in vectors)


@pytest.mark.usefixtures("cache")
def test_many_texts_are_got_at_once() -> None:
    vectors = {str(i): np.full(4, i, np.float32) for i in range(2_000)}
    VectorCache(_KEY, quiet=True).put(vectors)
    assert VectorCache(_KEY, quiet=True).get(list(vectors)).keys() == vectors.keys()


@pytest.mark.usefixtures("file")
def test_each_model_has_vectors_of_its_own() -> None:
    assert VectorCache(_OTHER, quiet=True).get(["a"]) == {}
    assert VectorCache(_KEY, quiet=True).get(["a"]).keys() == {"a"}


def test_a_damaged_cache_is_recreated_with_one_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"damaged" * 1_000)
    cache = VectorCache(_KEY, quiet=False)
    assert cache.get(["a"]) == {}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{file}: damaged (file is not a database)")
    cache.put({"a": np.zeros(4, np.float32)})
    assert cache.get(["a"]).keys() == {"a"}


def test_a_cut_cache_is_recreated(file: Path) -> None:
    cache = VectorCache(_KEY, quiet=True)
    cache.put({str(i): np.ones(384, np.float32) for i in range(100)})
    file.write_bytes(file.read_bytes()[:20_000])
    texts = [str(i) for i in range(100)]
    assert cache.get(texts) == {}
    cache.put({"b": np.ones(4, np.float32)})
    assert cache.get(["b", *texts]).keys() == {"b"}


def test_a_vector_that_has_changed_is_never_given_out(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = file.read_bytes()
    ones = np.ones(4, "<f4").tobytes()
    assert content.count(ones) == 1
    file.write_bytes(content.replace(ones, np.full(4, 2, "<f4").tobytes()))
    assert VectorCache(_KEY, quiet=False).get(["a"]) == {}
    assert "a vector has a wrong checksum" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_is_reported_once_and_holds_nothing(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(unwritable / "cache"))
    cache = VectorCache(_KEY, quiet=False)
    assert cache.get(["a"]) == {}
    cache.put({"a": np.ones(4, np.float32)})
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot store vectors here" in line


def test_a_cache_that_another_run_holds_does_not_stop_this_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("snap_encode.vectors._PATIENCE", 0.01)
    holder = sqlite3.connect(file)
    holder.execute("BEGIN EXCLUSIVE")
    VectorCache(_KEY, quiet=False).put({"b": np.ones(4, np.float32)})
    holder.close()
    assert "database is locked" in capsys.readouterr().err
    assert VectorCache(_KEY, quiet=True).get(["a", "b"]).keys() == {"a"}


_WRITER = """
import sys
import numpy as np
from snap_encode.vectors import VectorCache
cache = VectorCache("0f" * 32, quiet=False)
for i in range(30):
    cache.put({f"{sys.argv[1]} {i}": np.ones(4, np.float32)})
"""


@pytest.mark.usefixtures("cache")
def test_runs_at_the_same_time_keep_all_their_vectors() -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(n)], stderr=subprocess.PIPE)
        for n in range(4)
    ]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 4
    texts = [f"{n} {i}" for n in range(4) for i in range(30)]
    assert VectorCache(_KEY, quiet=True).get(texts).keys() == set(texts)
