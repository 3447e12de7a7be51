"""Export a network to ONNX."""

import logging
import os
from typing import TYPE_CHECKING

from snap_catalog.extras import require
from snap_catalog.parquet import replacing

if TYPE_CHECKING:
    from torch import nn


def write_onnx(network: "nn.Module", path: str | os.PathLike[str], image: int) -> None:
    """Write a network for inference as one ONNX file: `images` in, `logits` out, any batch size.

    Raises:
        SnapError: onnxscript is missing, or the file cannot be written.
    """
    require("snap-evo[build]", "torch", "onnxscript")
    import torch

    # Without the exporter's warnings about operators that no network here has.
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        program = torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, image, image),),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    finally:
        logger.setLevel(level)
    assert program is not None
    with replacing(path) as temporary:
        program.save(temporary)
