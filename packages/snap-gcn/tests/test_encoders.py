import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_gcn.cli import main
from snap_gcn.data.encoders import described
from snap_gcn.data.vocabulary import UnknownOperatorError
from snap_gcn.predictor import Predictor
from snap_gcn.scorer import GcnScorer
from snap_graphs import Cell, graph_table

SENTENCE = "Takes the largest of nine values"
OWN = Cell(("input", "own", "output"), ((0, 1), (1, 2)))


class Known:
    """An encoder that has learnt the texts of the catalog by heart."""

    def __init__(self) -> None:
        predictor = Predictor.bundled()
        self.sha256 = predictor.model.config.encoder.sha256
        vocabulary = predictor.vocabulary
        texts: list[str] = vocabulary.table["text"].to_pylist()
        self._vectors = dict(zip(texts, vocabulary.vectors, strict=True))
        self.pooling = next(text for text in texts if "pool" in text.lower())
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += texts
        return np.stack([self._vectors.get(text, self._vectors[self.pooling]) for text in texts])


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Known:
    known = Known()
    point = SimpleNamespace(load=lambda: lambda: known)
    monkeypatch.setattr(
        "snap_gcn.data.encoders.entry_points",
        lambda group, name: (point,) if (group, name) == ("snap.encoders", "snap-minilm") else (),
    )
    return known


@pytest.fixture
def own() -> pa.Table:
    table = graph_table("mine", [OWN], arch_ids=["a"])
    return table.replace_schema_metadata({"snap.operators": f'{{"own": "{SENTENCE}"}}'})


def test_an_operator_that_the_file_describes_is_encoded(encoder: Known, own: pa.Table) -> None:
    (score,) = Predictor.bundled().score(own)
    pooled = own.replace_schema_metadata({"snap.operators": json.dumps({"own": encoder.pooling})})
    assert score == pytest.approx(Predictor.bundled().score(pooled)[0])
    assert encoder.asked == [SENTENCE]


def test_an_operator_in_the_words_of_a_known_one_needs_no_encoder(own: pa.Table) -> None:
    same = Cell(("input", "max_pool_3x3", "output"), OWN.edges)
    for text in ("Max pooling 3x3", "Convolution 3x3, batch normalisation, ReLU"):
        described = own.replace_schema_metadata({"snap.operators": json.dumps({"own": text})})
        (score,) = Predictor.bundled().score(described)
        if text == "Max pooling 3x3":
            assert score == pytest.approx(Predictor.bundled().score([same], space="nds")[0])


def test_the_ends_of_a_graph_are_known_whatever_is_said_of_them(own: pa.Table) -> None:
    same = own.replace_schema_metadata({"snap.operators": '{"own": "Max pooling 3x3"}'})
    texts = {"own": "Max pooling 3x3", "input": "return x", "output": "torch.cat(states)"}
    other = own.replace_schema_metadata({"snap.operators": json.dumps(texts)})
    assert Predictor.bundled().score(other) == Predictor.bundled().score(same)


def test_a_known_name_with_other_words_is_read_by_its_words(encoder: Known) -> None:
    cell = Cell(("input", "conv3x3", "output"), OWN.edges)
    table = graph_table("mine", [cell], arch_ids=["a"])
    table = table.replace_schema_metadata({"snap.operators": json.dumps({"conv3x3": SENTENCE})})
    Predictor.bundled().score(table)
    assert encoder.asked == [SENTENCE]


def test_the_search_encodes_a_description_once(encoder: Known, own: pa.Table) -> None:
    scorer = GcnScorer()
    assert scorer.score(own).tolist() == scorer.score(own).tolist()
    assert encoder.asked == [SENTENCE]


def test_a_scorer_reads_a_changed_description_again(encoder: Known, own: pa.Table) -> None:
    scorer = GcnScorer()
    scorer.score(own)
    changed = own.replace_schema_metadata({"snap.operators": '{"own": "Takes nothing"}'})
    assert scorer.score(changed) == pytest.approx(GcnScorer().score(changed), abs=1e-5)
    assert encoder.asked == [SENTENCE, "Takes nothing", "Takes nothing"]


def test_a_scorer_reports_how_far_to_trust_it_with_described_operators(
    encoder: Known, own: pa.Table
) -> None:
    texts = {"snap.operators": '{"own": "Average pooling 3x3"}'}
    assessed = GcnScorer().trust(own.replace_schema_metadata(texts))
    assert assessed.architectures == 1
    assert list(assessed.operators) == ["own"]


def test_without_an_encoder_the_remedy_is_reported(own: pa.Table) -> None:
    with pytest.raises(SnapError, match=r"own\.parquet: describes own, but the encoder snap-mini"):
        Predictor.bundled().score(own, source="own.parquet")


def test_another_encoder_of_the_same_name_is_refused(encoder: Known, own: pa.Table) -> None:
    encoder.sha256 = "0" * 64
    with pytest.raises(SnapError, match=r"has SHA-256 00000000\.\.\., but the model reads"):
        Predictor.bundled().score(own)


@pytest.mark.parametrize("text", ["[]", "{", '{"own": 3}'])
def test_metadata_that_is_no_description_is_refused(own: pa.Table, text: str) -> None:
    table = own.replace_schema_metadata({"snap.operators": text})
    with pytest.raises(SnapError, match="no mapping of names to sentences"):
        Predictor.bundled().score(table)


def test_vectors_that_were_given_go_before_descriptions(encoder: Known, own: pa.Table) -> None:
    predictor = Predictor.bundled().with_described(own.schema)
    assert predictor.with_described(own.schema) is predictor


def test_a_refusal_names_what_is_nearest_in_meaning(encoder: Known, tmp_path: Path) -> None:
    table = graph_table("nb201", [OWN], arch_ids=["a"])
    origin = {
        "snap.benchmark": "x",
        "snap.source_sha256": "x",
        "snap.licence": "x",
        "snap.citation": "x",
    }
    write(table, tmp_path / "g.parquet", "graphs", producer="snap-graphs", metadata=origin)
    done = CliRunner().invoke(
        main, ["predict", f"{tmp_path}/g.parquet", "-o", f"{tmp_path}/s.parquet"]
    )
    assert done.exit_code == 1
    assert f"nearest in meaning: 'own': '{encoder.pooling}'" in done.stderr
    assert not (tmp_path / "s.parquet").exists()


def test_every_unknown_operator_is_named() -> None:
    nodes = ("input", *(f"own{i}" for i in range(7)), "output")
    cell = Cell(nodes, tuple((i, i + 1) for i in range(8)))
    with pytest.raises(UnknownOperatorError) as caught:
        Predictor.bundled().score([cell], space="mine")
    message = str(caught.value)
    assert all(f"'own{i}' of space 'mine'" in message for i in range(5))
    assert "and 2 more" in message
    assert "snap-encode ops.txt --model snap-minilm" in message


@pytest.mark.parametrize("text", ['{"a":' * 1_000, '{"a":' * 100_000, "[" * 100_000, "[1]"])
def test_descriptions_that_are_none_are_refused_in_one_line(text: str) -> None:
    schema = pa.schema([], metadata={"snap.operators": text})
    with pytest.raises(SnapError, match=r"^g\.parquet: snap\.operators is no mapping [^\n]*$"):
        described(schema, "g.parquet")
