"""Drawings of cells."""

from snap_graphs.drawing.panels import architecture_svg, draw, draw_architecture, draw_genotype

__all__ = ["architecture_svg", "draw", "draw_architecture", "draw_genotype"]
