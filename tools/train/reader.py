"""Train the classifier that reads descriptions of operators, and ship it with snap-encode.

    uv run --all-groups python -m tools.train.reader

Fits it on the registers to train on, sets its temperature on those to validate by, and prints how
often it names the kind in each of the registers held out. Takes ten minutes on one free core.
"""

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
import numpy as np
import torch
from safetensors.numpy import save_file
from snap_catalog import operators
from snap_catalog.registers import HELD_OUT, OTHER, UNREADABLE, Wording, wordings
from snap_encode import SentenceEncoder
from snap_encode.reading.classifier import LABELS, WEIGHTS
from snap_encode.reading.kinds import KINDS
from snap_encode.reading.letter_ngrams import BUCKETS, grams
from snap_encode.reading.reader import READS_WITH
from torch import Tensor, nn

from tools import printed
from tools.measure.encoder.filling import filled, reworded

_EPOCHS, _BATCH, _RATE, _DECAY, _SMOOTHING = 25, 256, 0.02, 1e-5, 0.02
_VECTORS, _LETTERS = 3.0, 2.0
"""By how much the two inputs are scaled, so that one learning rate suits both."""
_HIDDEN = 0.3
"""Share of texts whose vector is hidden in training, and as many whose letters are."""


_RANDOM_TEXTS = 1000
_WORD = re.compile(r"[a-z]{2,}")
_OFTEN = 3
"""Texts from which on a word counts as one that operators are described in."""


class Inputs(NamedTuple):
    """Texts as the classifier sees them.

    Attributes:
        vectors: (n, d) of the sentence encoder.
        buckets: of the letter sequences, one text after the other.
        weights: of the same.
        starts: (n + 1,) where the sequences of each text begin.
    """

    vectors: Tensor
    buckets: Tensor
    weights: Tensor
    starts: Tensor

    @classmethod
    def of(cls, texts: Sequence[str], encoder: SentenceEncoder) -> "Inputs":
        """Look at some texts."""
        vectors = torch.from_numpy(encoder.encode(texts, quiet=False))
        found = [grams(text) for text in texts]
        starts = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
        buckets, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return cls(vectors, *map(torch.from_numpy, (buckets, weights, starts)))

    def take(self, rows: Tensor) -> "Inputs":
        """Return some of the texts."""
        spans = [(int(self.starts[row]), int(self.starts[row + 1])) for row in rows]
        starts = np.cumsum([0, *(end - start for start, end in spans)])
        return Inputs(
            self.vectors[rows],
            torch.cat([self.buckets[start:end] for start, end in spans]),
            torch.cat([self.weights[start:end] for start, end in spans]),
            torch.from_numpy(starts),
        )


class Classifier(nn.Module):
    """The logistic regression of `snap_encode.reading.classifier.Head`, to be trained."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.vectors = nn.Linear(dimension, len(LABELS))
        self.letters = nn.EmbeddingBag(BUCKETS, len(LABELS), mode="sum")
        nn.init.zeros_(self.letters.weight)

    def forward(self, inputs: Inputs) -> Tensor:
        """Return (n, labels) logits; in training, of part of the texts one input is hidden."""
        of_vectors = self.vectors(_VECTORS * inputs.vectors)
        weights = _LETTERS * inputs.weights
        of_letters = self.letters(inputs.buckets, inputs.starts[:-1], per_sample_weights=weights)
        if self.training:
            drawn = torch.rand(len(of_vectors), 1)
            of_vectors, of_letters = (
                of_vectors * (drawn > _HIDDEN),
                of_letters * (drawn < 1 - _HIDDEN),
            )
        logits: Tensor = of_vectors + of_letters
        return logits


@click.command()
@click.option("--copies", default=3, show_default=True, help="Of each text, all but one reworded.")
@click.option("--seed", default=0, show_default=True)
@click.option("--out", default=WEIGHTS, show_default=True, type=click.Path(path_type=Path))
def main(copies: int, seed: int, out: Path) -> None:
    """Train, measure and write the classifier."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    encoder = SentenceEncoder(READS_WITH)
    known = [wording for wording in wordings() if wording.kind not in HELD_OUT]
    training = [wording for wording in known if wording.split == "train"]
    texts, kinds = _varied(training, copies, seed)
    network = fit(Inputs.of(texts, encoder), _labels(kinds))
    held_out: dict[tuple[str, str], list[Wording]] = {}
    for wording in known:
        if wording.split != "train":
            held_out.setdefault((wording.split, wording.register), []).append(wording)
    rows, temperature = [], 1.0
    for (split, register), same in sorted(held_out.items(), reverse=True):
        texts = [filled(wording, _random(wording, seed))[0] for wording in same]
        inputs = Inputs.of(texts, encoder)
        kinds = [wording.kind for wording in same]
        with torch.no_grad():
            logits = network(inputs)
        if split == "validate":
            temperature = _temperature(logits, _labels(kinds))
        right = (logits.argmax(1) == _labels(kinds)).double().mean()
        rows.append([register, split, str(len(same)), printed.short(float(right))])
    _write(network, temperature, out)
    out.with_name("words.txt").write_text("\n".join(_words(training)) + "\n", "utf-8")
    click.echo(f"{len(training):,} texts to train on; temperature {temperature:.2f}")
    click.echo(printed.table(["register", "split", "texts", "kind named"], rows))


def fit(inputs: Inputs, labels: Tensor) -> Classifier:
    """Train a classifier."""
    network = Classifier(inputs.vectors.shape[1])
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    batches = -(-len(labels) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_EPOCHS * batches)
    for _ in range(_EPOCHS):
        for rows in torch.split(torch.randperm(len(labels)), _BATCH):
            loss = nn.functional.cross_entropy(
                network(inputs.take(rows)), labels[rows], label_smoothing=_SMOOTHING
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval()


def _varied(known: Sequence[Wording], copies: int, seed: int) -> tuple[list[str], list[str]]:
    """Return texts and their kinds: each as it is, several times reworded; and nonsense."""
    others = [wording.text for wording in known if wording.kind == UNREADABLE]
    texts, kinds = [], []
    for wording in known:
        random = _random(wording, seed)
        for copy in range(copies):
            text, _ = filled(wording, random)
            texts.append(reworded(text, others, random) if copy else text)
            kinds.append(UNREADABLE if wording.kind == OTHER else wording.kind)
    nonsense = list(_nonsense(Random(seed)))
    return texts + nonsense, kinds + [UNREADABLE] * len(nonsense)


def _nonsense(random: Random) -> Iterator[str]:
    """Yield texts of letters and digits at random, which describe nothing."""
    for _ in range(_RANDOM_TEXTS):
        letters = random.choice((string.ascii_lowercase, string.ascii_letters, string.hexdigits))
        lengths = [random.randint(4, 12) for _ in range(random.randint(1, 4))]
        yield " ".join("".join(random.choices(letters, k=length)) for length in lengths)


def _random(wording: Wording, seed: int) -> Random:
    """Return draws that do not depend on the other texts, so that their vectors are kept."""
    return Random(f"{seed} {wording.text}")


def _labels(kinds: Sequence[str]) -> Tensor:
    return torch.tensor([LABELS.index(kind) for kind in kinds])


def _temperature(logits: Tensor, labels: Tensor) -> float:
    """Return what logits are to be divided by for the least cross-entropy."""
    candidates: list[float] = np.arange(0.3, 3.0, 0.05).tolist()
    return min(candidates, key=lambda t: float(nn.functional.cross_entropy(logits / t, labels)))


def _words(known: Sequence[Wording]) -> list[str]:
    """Return the words that operators are described in, the most frequent first."""
    catalogued = [o.descriptions["short"] for found in operators().values() for o in found]
    sentences = [*catalogued, *(kind.sentence for kind in KINDS.values())]
    frequent = Counter(
        word
        for wording in known
        if wording.kind not in (OTHER, UNREADABLE)
        for word in set(_WORD.findall(wording.text.lower()))
    )
    common = [word for word, count in frequent.most_common() if count >= _OFTEN]
    return list(dict.fromkeys([*common, *_WORD.findall(" ".join(sentences).lower())]))


def _write(network: Classifier, temperature: float, out: Path) -> None:
    weights = {
        "vectors": _VECTORS * network.vectors.weight.T,
        "letters": _LETTERS * network.letters.weight,
        "bias": network.vectors.bias,
    }
    save_file(
        {
            name: np.ascontiguousarray((tensor / temperature).detach().numpy().astype(np.float16))
            for name, tensor in weights.items()
        },
        out,
    )


if __name__ == "__main__":
    main()
