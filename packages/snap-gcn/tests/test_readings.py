"""How the descriptions of a user's operators were read, as the commands report it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import write
from snap_gcn.cli import main
from snap_gcn.predictor import Predictor
from snap_gcn.scorer import GcnScorer
from snap_graphs import Cell, graph_table

PLAIN = "a normal 3 by 3 conv"
NONSENSE = "the one Bob likes best"
CATALOGUED = "Convolution 3x3, batch normalisation, ReLU"
SKIP = "Residual connection"
READINGS = {
    PLAIN: ("convolution, kernel 3x3", 0.97),
    CATALOGUED: ("convolution, kernel 3x3", 0.99),
    "max_pool": ("max pooling", 0.9),
}
UNREADABLE = ("max pooling", 0.01)
NOT_RECOGNISED = "not recognised as an operator; describe what it computes, and its kernel"
CONV_LINE = "conv: read as convolution, kernel 3x3 (0.97); check"
BLOB_LINE = f"blob: perhaps max pooling (0.01); {NOT_RECOGNISED}"
POOL_LINE = (
    "max_pool: read as convolution, kernel 3x3 (0.99); its name 'max_pool' says max pooling; "
    "correct one of them"
)
HONEST = {"conv": PLAIN, "skip_connect": SKIP}
DOUBTFUL = {"conv": PLAIN, "blob": NONSENSE}


@dataclass(frozen=True)
class Said:
    """A reading that knows a few texts."""

    text: str

    @property
    def summary(self) -> str:
        return READINGS.get(self.text, UNREADABLE)[0]

    @property
    def confidence(self) -> Mapping[str, float]:
        return {"kind": READINGS.get(self.text, UNREADABLE)[1]}

    def doubt(self, name: "Said") -> str | None:
        if self.confidence["kind"] < 0.3:
            return NOT_RECOGNISED
        if name.confidence["kind"] > 0.5 and name.summary != self.summary:
            return f"its name {name.text!r} says {name.summary}; correct one of them"
        return None


class Mute:
    """An encoder that reads nothing, and has one vector for all texts."""

    def __init__(self) -> None:
        predictor = Predictor.bundled()
        self.sha256 = predictor.model.config.encoder.sha256
        self._vector = predictor.vocabulary.vectors[
            predictor.vocabulary.rows["nb101", "conv3x3-bn-relu"]
        ]

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.tile(self._vector, (len(texts), 1))


class Reads(Mute):
    """An encoder that reads."""

    def read(self, texts: Sequence[str]) -> list[Said]:
        return [Said(text) for text in texts]


Install = Callable[[object], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put an encoder in the place of the bundled predictor's."""

    def put(encoder: object) -> None:
        point = SimpleNamespace(load=lambda: lambda: encoder)
        monkeypatch.setattr("snap_gcn.data.encoders.entry_points", lambda **_: (point,))

    return put


@pytest.fixture
def reads(install: Install) -> None:
    install(Reads())


def cells(texts: Mapping[str, str], space: str = "mine") -> pa.Table:
    """Chains of two to six described operators."""
    names = list(texts)
    chains = [
        [names[(start + step * place) % len(names)] for place in range(length)]
        for length in range(2, 7)
        for start in range(len(names))
        for step in (0, 1)
    ]
    made = [
        Cell(("input", *chain, "output"), tuple((i, i + 1) for i in range(len(chain) + 1)))
        for chain in chains
    ]
    table = graph_table(space, made, arch_ids=[f"a{i}" for i in range(len(made))])
    return table.replace_schema_metadata({"snap.operators": json.dumps(dict(texts))})


def written(table: pa.Table, path: Path) -> str:
    facts = ("snap.benchmark", "snap.source_sha256", "snap.licence", "snap.citation")
    own = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    metadata = {**dict.fromkeys(facts, "x"), **own}
    write(table, path, "graphs", producer="snap-graphs", metadata=metadata)
    return str(path)


def predict(folder: Path, table: pa.Table, *more: str) -> Result:
    graphs = written(table, folder / "g.parquet")
    arguments = ["predict", graphs, "-o", str(folder / "s.parquet"), *more]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done


def operators(path: Path, *rows: tuple[str, str, str | None, float | None, str | None]) -> str:
    """Write a file of operators: name, description, reading, confidence, doubt."""
    names, texts, readings, confidences, doubts = zip(*rows, strict=True)
    vectors = Mute().encode(texts)
    table = pa.table(
        {
            "space": pa.nulls(len(rows), pa.string()),
            "op": pa.array(names, pa.string()),
            "text": pa.array(texts, pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(
                pa.array(vectors.ravel(), pa.float32()), vectors.shape[1]
            ),
            "reading": pa.array(readings, pa.string()),
            "confidence": pa.array(confidences, pa.float64()),
            "doubt": pa.array(doubts, pa.string()),
        }
    )
    known = Predictor.bundled().vocabulary.table.schema.metadata
    metadata = {key: known[key.encode()].decode() for key in ("snap.model", "snap.model_sha256")}
    write(table, path, "operators", producer="snap-encode", metadata=metadata)
    return str(path)


@pytest.mark.usefixtures("reads")
def test_predict_prints_how_each_described_operator_was_read(tmp_path: Path) -> None:
    lines = predict(tmp_path, cells(HONEST)).stderr.splitlines()
    assert lines.count(f"  {CONV_LINE}") == 1
    assert not any("in doubt" in line or "skip_connect:" in line for line in lines)


@pytest.mark.usefixtures("reads")
def test_a_ranking_by_a_description_in_doubt_is_not_relied_on(tmp_path: Path) -> None:
    lines = predict(tmp_path, cells(DOUBTFUL)).stderr.splitlines()
    verdict = "do not rely on this ranking: the description of blob is in doubt; correct it"
    start = lines.index(verdict)
    assert lines[start + 1 : start + 3] == [f"  {BLOB_LINE}", f"  {CONV_LINE}"]
    assert "  Spearman to expect: unknown" in lines


@pytest.mark.usefixtures("reads")
def test_a_name_that_says_otherwise_is_noticed_in_the_catalogs_words_too(tmp_path: Path) -> None:
    """Such a description needs no encoder for its vector."""
    done = predict(tmp_path, cells({"max_pool": CATALOGUED, "skip_connect": SKIP}))
    assert f"  {POOL_LINE}" in done.stderr.splitlines()
    assert "the description of max_pool is in doubt" in done.stderr


@pytest.mark.usefixtures("reads")
def test_json_holds_the_readings(tmp_path: Path) -> None:
    found = json.loads(predict(tmp_path, cells(DOUBTFUL), "--json").stdout)
    assert found["expected"] is None
    by_name = {each["operator"]: each for each in found["readings"]}
    assert by_name["conv"] == {
        "operator": "conv",
        "reading": "convolution, kernel 3x3",
        "confidence": 0.97,
        "doubt": None,
    }
    assert by_name["blob"]["doubt"] == NOT_RECOGNISED


@pytest.mark.usefixtures("reads")
def test_quiet_prints_no_readings(tmp_path: Path) -> None:
    assert predict(tmp_path, cells(DOUBTFUL), "--quiet").output == ""


def test_readings_in_a_file_of_operators_are_reported_without_an_encoder(tmp_path: Path) -> None:
    file = operators(
        tmp_path / "ops.parquet",
        ("conv", PLAIN, "convolution, kernel 3x3", 0.97, None),
        ("blob", NONSENSE, "max pooling", 0.01, NOT_RECOGNISED),
        ("unused", NONSENSE, "max pooling", 0.01, NOT_RECOGNISED),
        ("unread", PLAIN, None, None, None),
    )
    table = cells({"conv": "", "blob": "", "unread": ""}).replace_schema_metadata(None)
    done = predict(tmp_path, table, "--operators", file, "--json")
    found = json.loads(done.stdout)
    assert [each["operator"] for each in found["readings"]] == ["conv", "blob"]
    assert "the description of blob is in doubt" in found["verdict"]


def test_operators_of_the_first_version_are_read_and_nothing_is_reported(tmp_path: Path) -> None:
    file = operators(tmp_path / "ops.parquet", ("conv", PLAIN, None, None, None))
    table = pq.read_table(file).select(["space", "op", "text", "embedding"])
    entries = {**table.schema.metadata, b"snap.schema_version": b"1"}
    pq.write_table(table.replace_schema_metadata(entries), file)
    mine = cells({"conv": ""}).replace_schema_metadata(None)
    found = json.loads(predict(tmp_path, mine, "--operators", file, "--json").stdout)
    assert found["readings"] == []


def test_an_encoder_that_does_not_read_has_nothing_reported(
    tmp_path: Path, install: Install
) -> None:
    install(Mute())
    found = json.loads(predict(tmp_path, cells(DOUBTFUL), "--json").stdout)
    assert found["readings"] == []
    assert "in doubt" not in found["verdict"]


def test_an_encoder_with_other_weights_may_read_where_no_vector_is_needed(
    tmp_path: Path, install: Install
) -> None:
    encoder = Reads()
    encoder.sha256 = "0" * 64
    install(encoder)
    done = predict(tmp_path, cells({"max_pool": CATALOGUED, "skip_connect": SKIP}))
    assert POOL_LINE in done.stderr


@pytest.mark.usefixtures("reads")
def test_operators_of_the_models_own_vocabulary_are_not_reported(tmp_path: Path) -> None:
    names = ("nor_conv_3x3", "skip_connect")
    known = Predictor.bundled().vocabulary
    texts = {name: known.text(("nb201", name)) or "" for name in names}
    assert predict(tmp_path, cells(texts)).stderr.count("read as") == 0
    plain = cells(texts, "nb201").replace_schema_metadata(None)
    assert predict(tmp_path, plain).stderr.count("read as") == 0


@pytest.mark.usefixtures("reads")
def test_one_architecture_is_not_ranked_whatever_its_description(tmp_path: Path) -> None:
    done = predict(tmp_path, cells(DOUBTFUL).slice(10, 1))
    assert "nothing is ranked: there is 1 architecture" in done.stderr
    assert f"  {BLOB_LINE}" in done.stderr


@pytest.mark.usefixtures("reads")
def test_of_many_descriptions_those_in_doubt_are_printed_first_and_the_rest_counted(
    tmp_path: Path,
) -> None:
    texts = {**{f"conv{i}": PLAIN for i in range(12)}, "blob": NONSENSE}
    done = predict(tmp_path, pa.concat_tables([cells(texts), cells(texts, "other")]))
    lines = done.stderr.splitlines()
    shown = [line for line in lines if "(0." in line and "; " in line]
    assert len(shown) == 12
    assert shown[0] == f"  {BLOB_LINE}"
    assert "  and 1 more" in lines


@pytest.mark.usefixtures("reads")
def test_the_scorer_returns_readings_of_what_occurs() -> None:
    table = cells(DOUBTFUL)
    assert [str(each) for each in GcnScorer().readings(table)] == [CONV_LINE, BLOB_LINE]
    assert [str(each) for each in GcnScorer().readings(table.slice(0, 1))] == [CONV_LINE]
    assert GcnScorer().readings(table.slice(0, 0)) == []


@pytest.fixture
def adapted(tmp_path: Path, reads: None) -> tuple[Path, Result]:
    """A model adapted to measurements of operators one of which was not understood."""
    table = cells(DOUBTFUL)
    graphs = written(table, tmp_path / "g.parquet")
    lines = [f"{name},{number}" for number, name in enumerate(table["arch_id"].to_pylist())]
    (tmp_path / "m.csv").write_text("\n".join(["arch_id,acc", *lines]) + "\n")
    options = ["--metric", "acc", "--measured", str(tmp_path / "m.csv"), "--direction", "max"]
    out = tmp_path / "adapted"
    done = CliRunner().invoke(main, ["adapt", graphs, *options, "-o", str(out)])
    assert done.exit_code == 0, done.output
    return out, done


def test_adapt_prints_readings(adapted: tuple[Path, Result]) -> None:
    lines = adapted[1].stderr.splitlines()
    assert lines[-2:] == [f"  {BLOB_LINE}", f"  {CONV_LINE}"]


def test_an_adapted_model_warns_of_a_description_and_keeps_its_verdict(
    adapted: tuple[Path, Result], tmp_path: Path, install: Install
) -> None:
    """Measurements say how good its ranking is. It needs no encoder, whose vectors it keeps."""
    install(object())
    done = predict(tmp_path, cells(DOUBTFUL), "--model", str(adapted[0]))
    assert f"  {BLOB_LINE}" in done.stderr.splitlines()
    assert "in doubt" not in done.stderr
    assert "the 20 measurements of acc it is adapted to" in done.stderr
