"""Write scikit-learn's digits, 1,797 grey images of 8 x 8 pixels, for `snap-evo train`.

    uv run --all-groups python docs/examples/digits_data.py digits.npz

Of each class 50 images are for training, the others for validation; the split is always the same.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

TRAINING_IMAGES = 50


def main(path: str) -> None:
    """Write the file."""
    digits = load_digits()
    shuffled = np.random.default_rng(0).permutation(len(digits.target))
    shuffled = shuffled[np.argsort(digits.target[shuffled], kind="stable")]
    by_class = np.split(shuffled, np.bincount(digits.target).cumsum()[:-1])
    train = np.concatenate([members[:TRAINING_IMAGES] for members in by_class])
    valid = np.concatenate([members[TRAINING_IMAGES:] for members in by_class])
    images = (digits.images / 16).astype(np.float32)  # grey levels are 0 to 16
    np.savez_compressed(
        path,
        train_images=images[train],
        train_labels=digits.target[train],
        valid_images=images[valid],
        valid_labels=digits.target[valid],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
