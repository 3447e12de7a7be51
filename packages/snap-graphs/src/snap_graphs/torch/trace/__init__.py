"""Trace PyTorch modules into graphs of complete networks."""

from snap_graphs.torch.trace.checkpoint import Checkpoint
from snap_graphs.torch.trace.inputs import Input, Inputs, parse_input, read_inputs
from snap_graphs.torch.trace.layers import read_layers
from snap_graphs.torch.trace.run import Traced, exported, trace_module, trace_source
from snap_graphs.torch.trace.source import Given, Opened, Source, built

__all__ = [
    "Checkpoint",
    "Given",
    "Input",
    "Inputs",
    "Opened",
    "Source",
    "Traced",
    "built",
    "exported",
    "parse_input",
    "read_inputs",
    "read_layers",
    "trace_module",
    "trace_source",
]
