"""A predictor as an ONNX graph.

Inputs, for b graphs of n nodes each: `op` (b, n) int64, rows of `vectors`; `adjacency` (b, n, n)
bool, true where an edge leads from the second axis to the third; and, unless the model's own will
do, `vectors` (operators, d) float. Output: `score` (b,). Graphs go in as the model sees them:
through `snap_graphs.views`. Where members see them differently there is an `op` and an `adjacency`
for each sequence of views, named after it (`op:prune+show_implicit`). The file's metadata lists
the views and, by row, the operators of `vectors`.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError
from snap_catalog.parquet import replacing
from snap_graphs import Graphs

from snap_gcn.onnx_graph import Builder, Mixing, member_scores, path_scores
from snap_gcn.paths import VIEWS
from snap_gcn.predictor import Predictor
from snap_gcn.recipe import View

if TYPE_CHECKING:
    import onnx

_OPSET = 17
_TOLERANCE = 1e-5
_CHECKED = ((3, 2), (5, 7), (2, 20))
"""Numbers of random graphs, and of nodes of each, on which a file is checked."""


def export(predictor: Predictor, path: str) -> float:
    """Write a predictor as an ONNX file, once onnxruntime was seen to score as it does.

    Args:
        predictor: the predictor.
        path: the file.

    Returns:
        The largest difference between the two, relative to the largest score where that is
        greater than 1.

    Raises:
        SnapError: onnx or onnxruntime is not installed, they score differently, or the file cannot
            be written.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise SnapError(f"{path}: run: pip install 'snap-gcn[onnx]'") from error
    model = _model(predictor)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns that `vectors` may be overridden, as is meant
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    worst = max(_difference(predictor, session, *size) for size in _CHECKED)
    if not worst <= _TOLERANCE:
        raise SnapError(f"{path}: onnxruntime scores differently, by {worst:.1e}; not written")
    with replacing(path) as temporary:
        onnx.save(model, temporary)
    return worst


def inputs(
    predictor: Predictor, op: npt.NDArray[np.int64], adjacency: npt.NDArray[np.bool_]
) -> dict[str, npt.NDArray[Any]]:
    """Return what to feed to the file for graphs that no view changes."""
    fed: dict[str, npt.NDArray[Any]] = {}
    for views in predictor.views:
        ending = _ending(predictor, views)
        fed |= {f"op{ending}": op, f"adjacency{ending}": adjacency}
    return fed


def _difference(predictor: Predictor, session: Any, count: int, size: int) -> float:
    rng = np.random.default_rng(size)
    op = rng.integers(len(predictor.vocabulary.vectors), size=(count, size))
    adjacency = np.triu(rng.random((count, size, size)) < 0.5, 1)
    graphs = Graphs.from_dense((), op, adjacency)
    expected = predictor.score_as_seen(graphs, graphs.op)
    (found,) = session.run(["score"], inputs(predictor, op, adjacency))
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1))


def _ending(predictor: Predictor, views: Sequence[View]) -> str:
    return f":{'+'.join(views)}" if len(predictor.views) > 1 else ""


def _model(predictor: Predictor) -> "onnx.ModelProto":
    from onnx import TensorProto, helper

    add = Builder()
    vectors = predictor.vocabulary.vectors
    add.constant(vectors, "vectors")
    given = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["ops", vectors.shape[1]])]
    scores: list[str] = []
    more: list[str] = []
    for number, (views, members) in enumerate(predictor.views.items()):
        ending, nodes = _ending(predictor, views), f"n{number}"
        names = f"op{ending}", f"adjacency{ending}"
        given += [
            helper.make_tensor_value_info(names[0], TensorProto.INT64, ["b", nodes]),
            helper.make_tensor_value_info(names[1], TensorProto.BOOL, ["b", nodes, nodes]),
        ]
        mix = Mixing(add, names[1])
        scores += [member_scores(add, predictor.members[i], names[0], mix) for i in members]
        if predictor.paths and views == VIEWS:
            paths = path_scores(add, predictor.paths, *names)
            more.append(add("Mul", paths, add.number(predictor.paths_weight)))
    score = add("Sum", add("Mean", *scores), *more)
    add.nodes.append(helper.make_node("Identity", [score], ["score"]))
    told = [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["b"])]
    graph = helper.make_graph(add.nodes, "snap", given, told, add.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    helper.set_model_props(model, _metadata(predictor))
    return model


def _metadata(predictor: Predictor) -> dict[str, str]:
    return {
        **predictor.origin,
        "snap.model_sha256": predictor.model.config["encoder"]["sha256"],
        "snap.views": json.dumps(["+".join(views) for views in predictor.views]),
        "snap.operators": json.dumps(list(predictor.vocabulary.rows)),
    }
