"""The sections of a report, in the order of the page."""

from snap_eval.report.figures import Section
from snap_eval.report.sections.best import best
from snap_eval.report.sections.best_so_far import best_so_far
from snap_eval.report.sections.data import data
from snap_eval.report.sections.densities import accuracies, ranks
from snap_eval.report.sections.independence import independence
from snap_eval.report.sections.overview import correlations, summary
from snap_eval.report.sections.searched import searches
from snap_eval.report.sections.tables import tables, training_size

# To add a section, write a function in a module of this folder and add it here with its heading.
SECTIONS = (
    Section("In short", summary),
    Section("How well scores order cells", correlations),
    Section("Predicted against measured", ranks),
    Section("Scores and measurements", accuracies),
    Section("Best-scored candidates", best),
    Section("What scorers have in common", independence),
    Section("Search", searches),
    Section("Search by measuring", best_so_far),
    Section("Training", training_size),
    Section("The paper's tables", tables),
    Section("Benchmarks", data),
)
