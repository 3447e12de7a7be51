"""The charts as Vega-Lite specifications.

The page gives a chart its width, and the CSV next to it gives the data. Inks are variables of the
page (`var(--ink)` and the like), so that charts follow its light, dark and printed styles. Colours
that carry meaning differ for any colour vision (Okabe and Ito; blue to orange).
"""

from typing import Any, Literal

import altair as alt

from snap_eval.report.figures import Spec

INK, PAPER, ACCENT = "var(--ink)", "var(--paper)", "var(--accent)"
PREDICTOR, BASELINE = "#3d8fd1", "#8b929c"
"""Colours of scores from files, and of baselines."""

PALETTE = [PREDICTOR, "#e0882e", "#2a9d77", "#c26aa8", "#8b929c", "#c9b32c"]
_ROW, _TALL_ROW = 22, 30
_NAME: dict[str, Any] = {"align": "right", "dy": -9, "fontWeight": 600}
"""Style of a name at the end of a curve."""
_BROKEN = (
    "[slice(datum.label, 0, indexof(datum.label, ' ')),"
    " slice(datum.label, indexof(datum.label, ' ') + 1)]"
)

RHO = "Spearman's rho"


def heat_map(rows: int, *, two_lines: bool = False) -> Spec:
    """Draw the correlation of each `row` with each `column`, from -1 to 1, with its number.

    Rows and columns stand in the order of the data.

    Args:
        rows: number of rows.
        two_lines: whether to break the names of rows at their first space.
    """
    broken = alt.Axis(labelLimit=340, labelExpr=_BROKEN, labelOffset=-6)
    names = broken if two_lines else alt.Axis(labelLimit=340)
    scale = alt.Scale(scheme="blueorange", domain=[-1, 1], reverse=True)
    base = alt.Chart(_data()).encode(
        alt.X("column:N", sort=None).axis(orient="top", labelAngle=-45, labelLimit=220).title(None),
        alt.Y("row:N", sort=None).axis(names).title(None),
        tooltip=[
            alt.Tooltip("row:N"),
            alt.Tooltip("column:N"),
            alt.Tooltip("value:Q", format=".3f"),
            alt.Tooltip("cells:Q", format=","),
        ],
    )
    fields = base.mark_rect(stroke=PAPER, strokeWidth=1).encode(
        alt.Color("value:Q", scale=scale).legend(None)
    )
    strong = alt.expr.abs(alt.datum.value) > 0.7
    numbers = base.mark_text(fontSize=10).encode(
        alt.Text("value:Q", format=".2f"),
        color=alt.condition(strong, alt.value("#ffffff"), alt.value("#1b1f24")),
    )
    return _spec(alt.layer(fields, numbers), rows * (_TALL_ROW if two_lines else _ROW))


def bars(rows: int, low: float) -> Spec:
    """Draw the `value` of each `scorer` as a bar and its interval, `low` to `high`, as a line.

    The number stands at `end`.

    Args:
        rows: number of bars in the largest panel.
        low: start of the axis: 0, or less if a bar is negative.
    """
    kinds = alt.Scale(domain=["predictor", "baseline"], range=[PREDICTOR, BASELINE])
    base = alt.Chart(_data()).encode(
        alt.Y("scorer:N", sort=None).title(None).axis(labelLimit=150, ticks=False, domain=False)
    )
    axis = (
        alt.X("value:Q", scale=alt.Scale(domain=[low, 1.12]))
        .title(RHO)
        .axis(values=[-1, -0.5, 0, 0.5, 1])
    )
    bar = base.mark_bar(height={"band": 0.7}).encode(
        axis, alt.Color("kind:N", scale=kinds).legend(None)
    )
    line = base.mark_rule(color=INK, strokeWidth=1.5).encode(alt.X("low:Q"), alt.X2("high:Q"))
    number = base.mark_text(align="left", dx=5, color=INK).encode(
        alt.X("end:Q"), alt.Text("value:Q", format=".2f")
    )
    return _spec(alt.layer(bar, line, number), rows * _ROW)


def density(x: str, y: str, *, percent: bool) -> Spec:
    """Draw the number of `cells` in each field from `x0`, `y0` to `x1`, `y1`.

    Args:
        x: title of the horizontal axis.
        y: title of the vertical axis.
        percent: whether both axes run from 0 to 100.
    """
    scale = alt.Scale(domain=[0, 100]) if percent else alt.Scale(zero=False)
    opacity = alt.Scale(type="log", range=[0.12, 1])
    fields = (
        alt.Chart(_data())
        .mark_rect(color=ACCENT)
        .encode(
            alt.X("x0:Q", scale=scale).title(x),
            alt.X2("x1:Q"),
            alt.Y("y0:Q", scale=scale).title(y),
            alt.Y2("y1:Q"),
            alt.Opacity("cells:Q", scale=opacity).legend(None),
            tooltip=[alt.Tooltip("cells:Q", format=",")],
        )
    )
    return _spec(fields, 220)


def curves(
    x: str,
    y: str,
    *,
    ticks: list[float] | None = None,
    steps: bool = False,
    within: tuple[float, float] | None = None,
) -> Spec:
    """Draw the `mean` of each `series` over `x`, with a band from `low` to `high`.

    The horizontal axis is logarithmic. The name of a series stands at its end, at height `label`.

    Args:
        x: title of the horizontal axis.
        y: title of the vertical axis.
        ticks: labelled values of the horizontal axis; chosen by the library if None.
        steps: whether a value holds until the next one.
        within: ends of the vertical axis, beyond which nothing is drawn; the data's if None.
    """
    heights = alt.Scale(domain=within, zero=False) if within else alt.Scale(zero=False)
    axis = alt.Axis(values=ticks) if ticks else alt.Axis(format="~s")
    base = alt.Chart(_data()).encode(
        alt.X("x:Q", scale=alt.Scale(type="log", nice=False)).title(x).axis(axis),
        alt.Color("series:N", scale=alt.Scale(range=PALETTE)).legend(None),
    )
    vertical = alt.Y("mean:Q", scale=heights).title(y)
    way: Literal["step-after", "linear"] = "step-after" if steps else "linear"
    band = base.mark_area(opacity=0.22, interpolate=way, clip=bool(within)).encode(
        alt.Y("low:Q", scale=heights).title(y), alt.Y2("high:Q")
    )
    line = base.mark_line(strokeWidth=2, interpolate=way, clip=bool(within)).encode(vertical)
    ends = base.encode(alt.Y("label:Q"), alt.Text("series:N")).transform_filter(
        alt.FieldEqualPredicate(field="last", equal=1)
    )
    # Lines pass behind the names.
    halo = ends.mark_text(**_NAME, stroke=PAPER, strokeWidth=4)
    return _spec(alt.layer(band, line, halo, ends.mark_text(**_NAME)), 300)


def _data() -> alt.NamedData:
    return alt.NamedData(name="csv")


def _spec(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int) -> Spec:
    spec: Spec = chart.properties(width="container", height=height).to_dict()
    # The page sets the style and the data.
    for key in ("$schema", "config", "data"):
        spec.pop(key, None)
    return spec
