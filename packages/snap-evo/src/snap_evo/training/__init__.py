"""Train an architecture on a user's images."""

from snap_evo.training.measure import TrainingMeasurer, measurer

__all__ = ["TrainingMeasurer", "measurer"]
