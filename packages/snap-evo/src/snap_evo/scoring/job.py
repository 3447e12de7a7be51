"""What is to be scored, and by what."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError

from snap_evo.registry import load_scorer
from snap_evo.scorers import NetworkScorer, Scorer


@dataclass(frozen=True)
class Job:
    """What is to be scored.

    Attributes:
        graphs: n rows of the `graphs` contract.
        specs: the scorers as the user wrote them.
        allow_code: whether code that a search space of the user's names may be imported.
        source: `file.py:function`, whose networks the table's rows are; None where they are built.
        skip_bad: whether networks that cannot be scored are left out.
    """

    graphs: pa.Table
    specs: tuple[str, ...]
    allow_code: bool = False
    source: str | None = None
    skip_bad: bool = False

    @cached_property
    def scorers(self) -> dict[str, Scorer]:
        """The scorers by what the user wrote.

        Raises:
            SnapError: there is none such, or two would give scores of one name.
        """
        found = {spec: load_scorer(spec) for spec in self.specs}
        names = [name for spec, scorer in found.items() for name in score_names(spec, scorer)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SnapError(f"two scorers give scores called {twice}; ask for one at a time")
        return found

    @property
    def count(self) -> int:
        """Number of scorers times architectures."""
        return len(self.specs) * len(self.graphs)

    @property
    def question(self) -> str:
        """A hash of what is asked: which scores, of which architectures."""
        cells = self.graphs.select(["space", "arch_id", "cell_hash"]).to_pylist()
        asked = [self.specs, self.source, self._code, self.skip_bad, self.images, cells]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    @property
    def _code(self) -> str | None:
        """The SHA-256 of the source's file, where it is one."""
        path = Path((self.source or "").rpartition(":")[0])
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    @property
    def images(self) -> dict[str, str]:
        """Which images networks are shown, by scorer."""
        found = self.scorers.items()
        return {spec: each.images for spec, each in found if isinstance(each, NetworkScorer)}


def score_names(spec: str, scorer: Scorer) -> list[str]:
    """Return the names of the scores that a scorer gives."""
    if isinstance(scorer, NetworkScorer):
        return [f"{spec.partition(':')[0]}:{name}" for name in scorer.names]
    return [spec]
