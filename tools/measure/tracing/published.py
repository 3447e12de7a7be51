"""What timm and torchvision publish of their networks."""

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import nn


@dataclass(frozen=True)
class Published:
    """A network and what its library publishes of it.

    Attributes:
        name: in the library.
        build: makes it.
        image: side of the images in pixels.
        flops: multiply-adds for one image.
        rounding: of `flops`, half a unit of the last digit published.
        activations: elements put out by convolutions, linear layers and products; None where the
            library publishes none.
        accuracy: top-1 on ImageNet in percent.
    """

    name: str
    build: Callable[[], nn.Module]
    image: int
    flops: float
    rounding: float
    activations: float | None
    accuracy: float


def timm_networks(table: Path) -> Iterator[Published]:
    """Yield the networks of a table as timm publishes them."""
    with gzip.open(table, "rt") as file:
        for row in csv.DictReader(file):
            image = int(row["image_size"])
            yield Published(
                row["arch"],
                partial(_timm_network, row["arch"], image),
                image,
                float(row["gmacs"]) * 1e9,
                0.005e9,
                float(row["macts"]) * 1e6,
                float(row["imagenet-1k/valid/accuracy"]),
            )


def _timm_network(name: str, image: int) -> nn.Module:
    import timm

    try:
        return timm.create_model(name, img_size=image)
    except TypeError:  # any size will do
        return timm.create_model(name)


def torchvision_networks() -> Iterator[Published]:
    """Yield the classification networks of torchvision with their newest weights' facts."""
    from torchvision import models

    for name in models.list_models(module=models):
        weights = models.get_model_weights(name).DEFAULT
        image = weights.transforms().crop_size[0]
        yield Published(
            name,
            partial(models.get_model, name, **_sizes(name, image)),
            image,
            weights.meta["_ops"] * 1e9,
            0.0005e9,
            None,
            weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
        )


def _sizes(name: str, image: int) -> dict[str, int]:
    return {"image_size": image} if name.startswith("vit_") else {}
