import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from snap_catalog import SnapError, Term, corpus
from snap_catalog.threads import one_thread
from snap_encode import SentenceEncoder
from snap_encode.cli import main
from snap_encode.libraries import silenced
from snap_encode.models import Model, bases
from snap_encode.models.folders import folder_model
from snap_encode.tuning.adapter import Adapter
from snap_encode.tuning.batches import Batches
from snap_encode.tuning.examples import (
    RELATED,
    SAME,
    UNRELATED,
    Example,
    digest,
    examples,
    once,
    targets,
)
from snap_encode.tuning.losses import LOSSES, MARGIN, TEMPERATURE, contrastive, cosine, triplet
from snap_encode.tuning.recipe import BASE, RECIPES, Recipe
from snap_encode.tuning.run import Run
from snap_encode.tuning.tune import tune
from torch import Tensor
from torch.nn.functional import normalize

_SMALL = Recipe("cosine", epochs=3, steps=2, rank=2, alpha=4, learning_rate=0.01)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def _term(name: str, category: str, *descriptions: str, **settings: tuple[int, ...]) -> Term:
    return Term(name, category, "kind", "train", descriptions, settings=settings)


_CONV = _term(
    "conv",
    "convolution",
    "convolution",
    "{kernel}x{kernel} convolution",
    "convolution of kernel {kernel}",
    "{kernel} by {kernel} convolution, stride {stride}",
    kernel=(3, 5),
    stride=(1, 2),
)


def _said(term: Term) -> list[Example]:
    return [
        Example(term, number, text, settings)
        for number, description in enumerate(term.descriptions)
        for settings, text in replace(term, descriptions=(description,)).examples()
    ]


def test_intended_similarities_are_those_of_the_appendix_and_settings_tell_operators_apart() -> (
    None
):
    deconv = _term("deconv", "convolution", "transposed {kernel}x{kernel}", kernel=(3, 5))
    pool = _term("pool", "pooling", "{kernel}x{kernel} pooling", kernel=(3, 5))
    batch = [*_said(_CONV)[:5], *_said(deconv)[:1], *_said(pool)[:1]]
    assert [e.text for e in batch] == [
        "convolution",
        "3x3 convolution",
        "5x5 convolution",
        "convolution of kernel 3",
        "convolution of kernel 5",
        "transposed 3x3",
        "3x3 pooling",
    ]
    same, related, unrelated = SAME, RELATED, UNRELATED
    expected = np.array([same, same, same, same, same, related, unrelated], np.float32)
    np.testing.assert_array_equal(targets(batch)[0], expected)
    expected[2] = expected[4] = related
    np.testing.assert_array_equal(targets(batch)[1], expected)


@given(st.lists(st.sampled_from(_said(_CONV)), min_size=1, max_size=8))
def test_intended_similarities_are_symmetric_and_1_with_oneself(batch: list[Example]) -> None:
    matrix = targets(batch)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == SAME).all()


def test_the_corpus_is_read_with_names_and_official_words_and_by_split() -> None:
    texts = {e.text: e.term for e in examples("train", "validate", "test")}
    assert texts["torch.nn.Conv2d"].name == texts["Conv2d"].name == "Conv2d"
    assert any("Applies a 2D convolution" in text for text in texts)
    assert "torch.nn.skip_connect" not in texts
    for split in ("train", "validate", "test"):
        assert {e.term.split for e in examples(split)} == {split}


def test_one_example_is_kept_of_every_wording() -> None:
    assert [e.text for e in once(_said(_CONV))] == [
        "convolution",
        "5x5 convolution",
        "convolution of kernel 3",
        "5 by 5 convolution, stride 2",
    ]


def test_the_digest_depends_on_what_is_taught() -> None:
    said = _said(_CONV)
    assert digest(said) == digest(_said(_CONV))
    moved = [replace(e, term=replace(e.term, category="pooling")) for e in said]
    assert len({digest(said), digest(said[1:]), digest(moved)}) == 3


def test_batches_hold_every_degree_of_similarity_and_no_text_twice() -> None:
    batches = Batches(examples("train"), RECIPES["cosine"])
    random = np.random.default_rng(0)
    for _ in range(20):
        batch = batches.draw(random)
        assert len({e.text for e in batch}) == len(batch)
        grades = np.array([SAME, RELATED, UNRELATED], np.float32)
        assert np.isin(grades, targets(batch)).all()
        assert len({e.term.category for e in batch}) == RECIPES["cosine"].categories
        assert max(Counter(e.term.name for e in batch).values()) <= RECIPES["cosine"].texts


def test_the_texts_of_an_operator_meet_in_two_settings() -> None:
    batches = Batches(_said(_CONV), replace(_SMALL, texts=4))
    random = np.random.default_rng(0)
    met = [{e.settings["kernel"] for e in batches.draw(random) if e.settings} for _ in range(20)]
    assert {3, 5} in met
    assert all(len(batches.draw(random)) == 4 for _ in range(5))


def _some_vectors(n: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    vectors = normalize(torch.randn(n, 4, generator=generator))
    grades = torch.tensor([UNRELATED, RELATED, SAME])
    intended = grades[torch.randint(3, (n, n), generator=generator)].triu(1)
    return vectors, intended + intended.T + torch.eye(n)


def test_the_cosine_loss_is_the_mean_over_targets_of_mean_squares() -> None:
    vectors, intended = _some_vectors()
    errors: dict[float, list[float]] = {}
    for i, j in combinations(range(6), 2):
        error = float(vectors[i] @ vectors[j] - intended[i, j]) ** 2
        errors.setdefault(float(intended[i, j]), []).append(error)
    expected = np.mean([np.mean(values) for values in errors.values()])
    assert cosine(vectors, intended).item() == pytest.approx(expected, rel=1e-5)


def test_the_triplet_loss_is_equation_1_over_the_triplets_that_break_the_margin() -> None:
    vectors, intended = _some_vectors()
    terms = [
        float((vectors[a] - vectors[p]).norm() - (vectors[a] - vectors[n]).norm()) + MARGIN
        for a in range(6)
        for p in range(6)
        for n in range(6)
        if len({a, p, n}) == 3 and intended[a, p] > intended[a, n]
    ]
    expected = np.mean([term for term in terms if term > 0])
    assert triplet(vectors, intended).item() == pytest.approx(expected, rel=1e-4)


def test_the_contrastive_loss_is_the_mean_cross_entropy_of_two_distributions() -> None:
    vectors, intended = _some_vectors()
    entropies = []
    for i in range(6):
        others = [j for j in range(6) if j != i]
        asked = np.exp([float(intended[i, j]) / TEMPERATURE for j in others])
        given = np.exp([float(vectors[i] @ vectors[j]) / TEMPERATURE for j in others])
        entropies.append(-(asked / asked.sum() * np.log(given / given.sum())).sum())
    assert contrastive(vectors, intended).item() == pytest.approx(np.mean(entropies), rel=1e-5)


def test_the_contrastive_loss_with_two_degrees_is_the_supervised_one() -> None:
    vectors, _ = _some_vectors(4)
    pairs = torch.kron(torch.eye(2), torch.ones(2, 2))
    cosines = (vectors @ vectors.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    supervised = -cosines.log_softmax(1)[[0, 1, 2, 3], [1, 0, 3, 2]].mean()
    assert contrastive(vectors, pairs * 10).item() == pytest.approx(supervised.item(), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_descending_a_loss_brings_like_together_and_parts_unlike(loss: object) -> None:
    vectors = normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(1)))
    vectors.requires_grad_()
    intended = torch.kron(torch.eye(2), torch.ones(2, 2))
    optimiser = torch.optim.Adam([vectors], lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        loss(normalize(vectors), intended).backward()  # type: ignore[operator]
        optimiser.step()
    unit = normalize(vectors.detach())
    cosines = unit @ unit.T
    assert cosines[intended == 1].min() > cosines[intended == 0].max() + 0.5


def test_every_loss_has_a_recipe_under_its_name() -> None:
    assert [recipe.loss for recipe in RECIPES.values()] == list(RECIPES)
    assert set(RECIPES) == set(LOSSES)


@pytest.fixture
def base(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A tiny base in the place of the real one, and a corpus of a few operators."""
    few = {name: term for name, term in corpus().items() if _is_used(term)}
    model = replace(folder_model(tiny, BASE), name=BASE)
    monkeypatch.setattr("snap_encode.tuning.examples.corpus", lambda: few)
    monkeypatch.setitem(bases.BASES, BASE, lambda: model)
    return model


def _is_used(term: Term) -> bool:
    return term.category in {"convolution", "pooling"}


def _assert_weights(one: Path, other: Path, *, equal: bool = True) -> None:
    """Compare the weights of two runs to 1e-5, far less than a step changes them."""
    found, expected = (load_file(path / "adapter_model.safetensors") for path in (one, other))
    assert found.keys() == expected.keys()
    close = [torch.allclose(found[name], expected[name], rtol=0, atol=1e-5) for name in expected]
    assert all(close) == equal


def test_equal_seeds_give_equal_weights_and_others_do_not(base: Model, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        tune(tmp_path / name, _SMALL, seed=seed)
    _assert_weights(tmp_path / "a", tmp_path / "b")
    _assert_weights(tmp_path / "a", tmp_path / "c", equal=False)


def _interrupt_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Run._step

    def interrupted(run: Run, random: np.random.Generator, place: int) -> float:
        if len(run.history) == number:
            raise KeyboardInterrupt
        return step(run, random, place)

    monkeypatch.setattr(Run, "_step", interrupted)


def test_a_stopped_run_goes_on_to_the_same_weights(
    base: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(tmp_path / "whole", _SMALL, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_in_epoch(2, patch)
        with pytest.raises(KeyboardInterrupt):
            tune(tmp_path / "stopped", _SMALL, seed=3)
    message = f"{tmp_path / 'stopped'}: stopped after 2 of 3 epochs; add --resume to continue\n"
    assert capsys.readouterr().err == message
    assert not (tmp_path / "stopped").exists()
    with pytest.raises(
        SnapError, match=r"stopped\.checkpoint: belongs to an interrupted run; add --res"
    ):
        tune(tmp_path / "stopped", _SMALL, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_in_epoch(1, patch)  # What is done is not done again.
        tune(tmp_path / "stopped", _SMALL, seed=3, resume=True)
    _assert_weights(tmp_path / "stopped", tmp_path / "whole")
    assert not (tmp_path / "stopped.checkpoint").exists()


def test_a_run_is_not_resumed_with_other_settings(
    base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            tune(tmp_path / "run", _SMALL)
    resume = partial(tune, tmp_path / "run", resume=True)
    with pytest.raises(SnapError, match="the saved run has loss 'cosine', not 'triplet'; resume"):
        resume(replace(_SMALL, loss="triplet"))
    with pytest.raises(SnapError, match="the saved run has seed 0, not 1;"):
        resume(_SMALL, seed=1)
    fewer = {name: term for name, term in corpus().items() if name != "Conv2d"}
    monkeypatch.setattr("snap_encode.tuning.examples.corpus", lambda: fewer)
    with pytest.raises(SnapError, match="the saved run has corpus_sha256"):
        resume(_SMALL)


@pytest.mark.parametrize("content", [b"", b"damaged" * 9, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_is_refused(base: Model, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.checkpoint").write_bytes(content)
    with pytest.raises(SnapError, match=r"run\.checkpoint: not a checkpoint .*; remove it"):
        tune(tmp_path / "run", _SMALL, resume=True)


_Entries = dict[str, Any]


def _without(tensors: _Entries, name: str) -> _Entries:
    return {key: value for key, value in tensors.items() if not key.endswith(name)}


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda a, t: ({}, t), "not a checkpoint"),
        (lambda a, t: ({**a, "settings": "[1]"}, t), "not a checkpoint"),
        (lambda a, t: ({**a, "settings": "[" * 100_000}, t), "not a checkpoint"),
        (lambda a, t: ({**a, "settings": "{}"}, t), "the saved run has loss None"),
        (lambda a, t: ({**a, "history": "[[1]]"}, t), "not a checkpoint"),
        (lambda a, t: ({**a, "history": '[["a", 1]]'}, t), "not a checkpoint"),
        (lambda a, t: ({**a, "history": "[]"}, t), "0 epochs of 3"),
        (lambda a, t: ({**a, "history": json.dumps([[1, 1]] * 4)}, t), "4 epochs of 3"),
        (lambda a, t: (a, {}), "is missing, unknown, of another shape"),
        (lambda a, t: (a, _without(t, "lora_A.weight")), "lora_A.weight is missing"),
        (lambda a, t: (a, _without(t, "0.exp_avg")), r"optimiser\.0\.exp_avg is missing"),
        (lambda a, t: (a, {**t, "more": torch.ones(1)}), "more is missing, unknown"),
        (lambda a, t: (a, {**t, "optimiser.x.y": torch.ones(1)}), r"optimiser\.x\.y is missing"),
        (lambda a, t: (a, {**t, "optimiser.0.step": torch.ones(2)}), r"optimiser\.0\.step is"),
        (lambda a, t: (a, {**t, "optimiser.0.step": torch.tensor(np.nan)}), "not finite"),
        (lambda a, t: (a, {**t, "optimiser.0.step": torch.tensor(1)}), r"optimiser\.0\.step is"),
    ],
)
def test_a_checkpoint_with_damaged_entries_is_refused(
    base: Model,
    tmp_path: Path,
    damage: Callable[[_Entries, _Entries], tuple[_Entries, _Entries]],
    problem: str,
) -> None:
    kept = tmp_path / "run.checkpoint"
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            tune(tmp_path / "run", _SMALL)
    with safe_open(kept, "pt") as file:
        about, tensors = (
            file.metadata(),
            {name: file.get_tensor(name) for name in file.offset_keys()},
        )
    about, tensors = damage(about, tensors)
    save_file(tensors, kept, about)
    with pytest.raises(SnapError, match=rf"run\.checkpoint: .*{problem}"):
        tune(tmp_path / "run", _SMALL, resume=True)
    assert not (tmp_path / "run").exists()


def test_resuming_what_was_never_begun_begins_it(base: Model, tmp_path: Path) -> None:
    tune(tmp_path / "run", _SMALL, resume=True)
    assert len(json.loads((tmp_path / "run" / "training.json").read_text())["history"]) == 3


def test_a_loss_that_diverges_is_reported_by_name(
    base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOSSES, "cosine", lambda vectors, targets: vectors.sum() * torch.nan)
    with pytest.raises(SnapError, match="the cosine loss became nan in step 1 of seed 0; try"):
        tune(tmp_path / "run", _SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["tiny"]


def test_a_folder_that_exists_or_cannot_be_made_is_refused_before_any_work(
    tmp_path: Path, unwritable: Path
) -> None:
    with pytest.raises(SnapError, match="exists already; choose a new folder"):
        tune(tmp_path, _SMALL)
    for out in (tmp_path / "gone" / "run", unwritable / "run"):
        with pytest.raises(SnapError, match="cannot write here"):
            tune(out, _SMALL)


@pytest.fixture
def tuned(base: Model, tmp_path: Path) -> Path:
    tune(tmp_path / "tuned", _SMALL)
    return tmp_path / "tuned"


def test_a_tuned_folder_is_loaded_with_the_vectors_it_was_validated_with(
    base: Model, tuned: Path
) -> None:
    run = Run(base, _SMALL, 0)
    while not run.finished:
        run.epoch()
    texts = ["3x3 convolution", "Applies dropout", "a"]
    expected = run.adapter.embed(texts)
    np.testing.assert_allclose(SentenceEncoder(str(tuned)).encode(texts), expected, atol=1e-5)


def test_a_tuned_folder_has_no_place_of_a_base_in_it_and_a_card(tuned: Path) -> None:
    config = json.loads((tuned / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    assert {file.name for file in tuned.iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "snap_encoder.json",
        "training.json",
    }
    card = (tuned / "README.md").read_text()
    for message in ("`snap-encode tune --out tuned --loss cosine --seed 0`", "Apache-2.0", "0.7"):
        assert message in card
    _assert_no_paths(tuned)


def _assert_no_paths(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for part in (str(folder), str(folder.parent), "/site-packages", "/home/", "/tmp/"):
                assert part.encode() not in content, file


def test_only_the_updates_learn_and_at_first_they_change_nothing(base: Model) -> None:
    adapter = Adapter(base, _SMALL, 0)
    texts = ["3x3 convolution", "a longer text about max pooling over a feature map"]
    plain = base.load().encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(adapter.embed(texts), plain, atol=1e-6)
    np.testing.assert_allclose(adapter(texts).detach().numpy(), plain, atol=1e-6)
    assert all("lora_" in name for name in adapter.state())
    assert sum(p.numel() for p in adapter.parameters()) == sum(
        value.numel() for value in adapter.state().values()
    )


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_tunes_with_the_recipe_of_the_loss(
    base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "triplet", replace(_SMALL, loss="triplet"))
    result = _run("tune", "--out", tmp_path / "a", "--loss", "triplet", "--seed", "7")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Tuning epochs: 3 of 3 loss" in result.stderr
    assert "a: tuned; encode with --model" in result.stderr
    assert json.loads((tmp_path / "a" / "training.json").read_text())["settings"]["seed"] == 7
    again = _run("tune", "--out", tmp_path / "a", "--loss", "triplet")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.splitlines() == [
        f"Error: {tmp_path / 'a'}: exists already; choose a new folder"
    ]
    quiet = _run("tune", "--out", tmp_path / "b", "--loss", "triplet", "--seed", "7", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")
    _assert_weights(tmp_path / "b", tmp_path / "a")


@pytest.mark.parametrize(
    "arguments", [("tune",), ("tune", "--out", "x", "--loss", "hinge"), ("export",)]
)
def test_misuse_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert _run(*arguments).exit_code == 2


def test_an_export_over_something_or_of_nothing_is_refused(
    base: Model, tuned: Path, tmp_path: Path
) -> None:
    result = _run("export", tuned, "--model", tuned)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "exists already" in result.stderr
    (tuned / "adapter_model.safetensors").write_bytes(b"damaged")
    result = _run("export", tmp_path / "new", "--model", tuned)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "damaged" in result.stderr
    assert not (tmp_path / "new").exists()


def test_an_export_is_loaded_by_plain_sentence_transformers(tuned: Path, tmp_path: Path) -> None:
    with silenced():
        from sentence_transformers import SentenceTransformer

    out = tmp_path / "plain"
    result = _run("export", out, "--model", tuned)
    assert (result.exit_code, result.stdout) == (0, "")
    texts = ["3x3 convolution", "Applies dropout"]
    expected = SentenceEncoder(str(tuned)).encode(texts)
    shutil.rmtree(tuned)
    with silenced():
        plain = SentenceTransformer(str(out), device="cpu").encode(texts)
    np.testing.assert_allclose(plain, expected, atol=1e-5)
    _assert_no_paths(out)
