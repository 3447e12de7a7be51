"""Read ONNX files without their weights."""

from snap_graphs.formats.onnx.files import OnnxFiles

__all__ = ["OnnxFiles"]
