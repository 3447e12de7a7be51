"""A request to score architectures."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256

from snap_evo.registry import load_scorer
from snap_evo.scorers import NetworkScorer, Scorer


@dataclass(frozen=True)
class Job:
    """Architectures and the scorers to score them by.

    Attributes:
        graphs: n rows of the `graphs` contract.
        specs: the scorers, as `load_scorer` reads them.
        allow_code: whether code that a search space names may be imported.
        source: `file.py:function` that makes the networks of the rows; None to build them.
        skip_bad: whether to leave out networks that cannot be scored.
    """

    graphs: pa.Table
    specs: tuple[str, ...]
    allow_code: bool = False
    source: str | None = None
    skip_bad: bool = False

    @cached_property
    def scorers(self) -> dict[str, Scorer]:
        """The scorers by spec.

        Raises:
            SnapError: a scorer is unknown, or two would give scores of one name.
        """
        found = {spec: load_scorer(spec) for spec in self.specs}
        names = [name for spec, scorer in found.items() for name in score_names(spec, scorer)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SnapError(f"two scorers give scores called {twice}; use one at a time")
        return found

    @property
    def count(self) -> int:
        """Number of scorers times architectures."""
        return len(self.specs) * len(self.graphs)

    @property
    def question(self) -> str:
        """A hash of all that the scores depend on."""
        cells = self.graphs.select(["space", "arch_id", "cell_hash"]).to_pylist()
        asked = [self.specs, self.source, self._code, self.skip_bad, self.images, cells]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    @property
    def _code(self) -> str | None:
        """The SHA-256 of the source's file, if it is one."""
        path = Path((self.source or "").rpartition(":")[0])
        return file_sha256(path) if path.is_file() else None

    @property
    def images(self) -> dict[str, str]:
        """By scorer the images that networks process."""
        found = self.scorers.items()
        return {spec: each.images for spec, each in found if isinstance(each, NetworkScorer)}


def score_names(spec: str, scorer: Scorer) -> list[str]:
    """Return the names of the scores that a scorer gives."""
    if isinstance(scorer, NetworkScorer):
        return [f"{spec.partition(':')[0]}:{name}" for name in scorer.names]
    return [spec]
