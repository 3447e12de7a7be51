"""A sentence encoder with trainable low-rank updates (LoRA)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import normalize

from snap_encode.libraries import silenced
from snap_encode.models import Model
from snap_encode.tuning.recipe import Recipe

_LAYERS = r"encoder\.layer\.\d+\..*\.(query|key|value|dense)"
"""The linear layers of a BERT's blocks."""
_PART = 16
"""Texts of similar length per forward pass, which saves padding."""


class Adapter:
    """A base model and its low-rank updates.

    The updates are 0 at first, so that the vectors are those of the base.
    """

    def __init__(self, base: Model, recipe: Recipe, seed: int) -> None:
        """Load the base, whose first module is a BERT, and add the updates to it.

        The recipe has their `rank` and `alpha`. The first factors of the updates are drawn with the
        seed; the second ones start at 0.
        """
        self._model = base.load()
        # Dropout stays off: few parameters can overfit, and training is less noisy.
        self._model.eval()
        with silenced():
            from peft import LoraConfig, get_peft_model

            torch.manual_seed(seed)
            config = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules=_LAYERS)
            transformer: Any = self._model[0]
            self._peft = get_peft_model(transformer.model, config)

    def parameters(self) -> list[Parameter]:
        """Return the trainable parameters, in a fixed order."""
        return [p for p in self._model.parameters() if p.requires_grad]

    def __call__(self, texts: list[str]) -> Tensor:
        """Return the normalised vectors of n texts, shape (n, d), with gradients."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = [
            self._model(self._model.preprocess([texts[i] for i in order[start : start + _PART]]))
            for start in range(0, len(order), _PART)
        ]
        vectors = torch.cat([part["sentence_embedding"] for part in parts])
        return normalize(vectors[torch.tensor(order).argsort()])

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Return the same vectors as an array, without gradients."""
        with silenced():
            vectors: NDArray[np.float32] = self._model.encode(
                texts, batch_size=_PART, show_progress_bar=False, normalize_embeddings=True
            )
        return vectors

    def state(self) -> dict[str, Tensor]:
        """Return the updates by their names in peft."""
        with silenced():
            from peft import get_peft_model_state_dict

            state: Mapping[str, Tensor] = get_peft_model_state_dict(self._peft)
        return {name: value.detach().clone() for name, value in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Load the updates of another adapter of the same recipe."""
        with silenced():
            from peft import set_peft_model_state_dict

            set_peft_model_state_dict(self._peft, dict(state))

    def config(self) -> dict[str, Any]:
        """Return the content of peft's `adapter_config.json`, without the path of the base."""
        config = dict(self._peft.peft_config["default"].to_dict())
        return {**config, "base_model_name_or_path": None, "inference_mode": True}
