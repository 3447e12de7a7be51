"""Write a report as one HTML file that loads no other file."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from snap_eval.report.figures import Absent, Chart, Part, Section, Skipped, Table
from snap_eval.report.results import Results

_EXPORT = "window.vegaEmbed = vegaEmbed;"


def render(results: Results, sections: Sequence[Section], title: str) -> str:
    """Return the page as HTML; equal results give equal pages.

    Args:
        results: the files to draw from.
        sections: the sections in the order of the page; empty ones are left out.
        title: heading of the page.
    """
    parts = [list(section.parts(results)) for section in sections]
    everything = [part for of in parts for part in of]
    shown = [[part for part in of if isinstance(part, Chart | Table)] for of in parts]
    drawings = dict(_drawings(everything))
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            sections=[
                (number, section, of)
                for number, (section, of) in enumerate(zip(sections, shown, strict=True))
                if of
            ],
            skipped=[part for part in everything if isinstance(part, Skipped)],
            absent=[part for part in everything if isinstance(part, Absent)],
            charts=_script(dict(_specs(everything))),
            drawings=_script(list(drawings.values())),
            numbers={key: number for number, key in enumerate(drawings)},
            is_table=lambda part: isinstance(part, Table),
            library=_library(),
        )
    )


def _environment() -> Environment:
    folder = files("snap_eval.report").joinpath("page")
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    return Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _specs(parts: Iterable[Part]) -> Iterator[tuple[str, object]]:
    for part in parts:
        if isinstance(part, Chart):
            yield part.name, {"spec": part.spec, "panel": part.panel}


def _drawings(parts: Iterable[Part]) -> Iterator[tuple[str, str]]:
    """Yield each drawing as its key and a `data:` address."""
    for part in parts:
        if isinstance(part, Table):
            for key, svg in part.drawings.items():
                yield key, f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _script(value: object) -> str:
    """Write JSON that is safe in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _library() -> str:
    """Return Vega, Vega-Lite and vega-embed, which vl-convert contains, as one script."""
    import vl_convert

    return str(vl_convert.javascript_bundle(_EXPORT)).replace("</script", "<\\/script")
