"""The report as a visitor meets it, in a real browser."""

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

Visit = Callable[..., Page]
PHONE, DESK = 390, 1280


def _luminance(colour: str) -> float:
    red, green, blue = (int(n) for n in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _background(page: Page) -> float:
    return _luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def _column(page: Page, table: str, head: str) -> list[str]:
    names = page.locator(f"#{table} thead th").all_inner_texts()
    place = 1 + names.index(head)
    return page.locator(f"#{table} tbody tr:visible td:nth-child({place})").all_inner_texts()


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [False, True])
def test_every_chart_is_drawn_and_nothing_sticks_out(
    visit: Visit, width: int, dark: bool, tmp_path: Path
) -> None:
    page = visit(width, dark=dark)
    charts = page.locator("article:not(:has(details)) .chart")
    assert charts.count() > 5
    for chart in charts.all():
        assert chart.locator("svg").count() == 1
        box = chart.bounding_box()
        assert box is not None
        assert box["height"] > 60
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # SNAP_SCREENSHOTS names a folder to keep the pictures in, for people to look at.
    folder = Path(os.environ.get("SNAP_SCREENSHOTS", tmp_path))
    picture = folder / f"report-{width}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_what_is_wider_than_the_page_scrolls_in_its_own_place_and_says_so(
    visit: Visit, width: int
) -> None:
    page = visit(width)
    places = page.locator("article:not(:has(details)) .scroll, #absent .scroll")
    wide = []
    for place in places.all():
        box = place.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
        is_wide = place.evaluate("place => place.scrollWidth > place.clientWidth")
        hint = place.locator("xpath=preceding-sibling::p[@class='hint'][1]")
        assert hint.is_visible() == is_wide
        if is_wide:
            wide.append(place)
            place.evaluate("place => place.scrollTo(place.scrollWidth, 0)")
            end = place.evaluate("place => place.scrollLeft + place.clientWidth")
            assert end >= place.evaluate("place => place.scrollWidth") - 1
    assert bool(wide) or width == DESK
    # No cell of a table outside such a place is cut off.
    assert page.locator("table").count() == page.locator(".scroll table").count()


def test_charts_show_the_figures_of_their_download(visit: Visit) -> None:
    page = visit()
    link = page.locator('a[download="bars.csv"]')
    with page.expect_download() as download:
        link.click()
    path = download.value.path()
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    first = page.locator("#bars .chart").first
    shown = first.locator("svg text").all_text_contents()
    panel = first.get_attribute("data-panel")
    matching = [row for row in rows if row["benchmark"] == panel]
    assert len(matching) == 4
    for row in matching:
        assert f"{float(row['value']):.2f}" in shown
        assert row["scorer"] in shown


def test_a_column_is_sorted_by_its_values_one_way_and_the_other(visit: Visit) -> None:
    page = visit()
    button = page.locator("#correlations-table th button", has_text="spearman").first
    button.click()
    rising = [float(text) for text in _column(page, "correlations-table", "spearman")]
    assert rising == sorted(rising)
    assert len(set(rising)) > 3
    head = button.locator("xpath=..")
    assert head.get_attribute("aria-sort") == "ascending"
    button.click()
    falling = [float(text) for text in _column(page, "correlations-table", "spearman")]
    assert falling == rising[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_a_table_is_filtered_by_all_words_given(visit: Visit) -> None:
    page = visit()
    rows = len(_column(page, "correlations-table", "scorer"))
    page.fill('input[data-table="correlations-table"]', "params noisy unique_reachable")
    assert _column(page, "correlations-table", "scorer") == ["params"]
    assert page.locator("output.count").first.inner_text() == f"1 of {rows} rows"
    page.fill('input[data-table="correlations-table"]', "")
    assert len(_column(page, "correlations-table", "scorer")) == rows


def test_the_button_turns_the_page_dark_and_back(visit: Visit) -> None:
    page = visit()
    assert _background(page) > 200
    page.click("#theme")
    assert _background(page) < 60
    assert page.locator("#theme").inner_text() == "Light"
    label = page.locator("#bars svg text").first
    assert _luminance(label.evaluate("text => getComputedStyle(text).fill")) > 150
    page.click("#theme")
    assert _background(page) > 200


def test_who_prefers_dark_pages_gets_one(visit: Visit) -> None:
    page = visit(dark=True)
    assert _background(page) < 60
    assert page.locator("#theme").inner_text() == "Light"


def test_paper_stays_white(visit: Visit) -> None:
    page = visit(dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    assert _background(page) > 200
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_cell_that_is_tapped_is_drawn_within_the_window(visit: Visit, width: int) -> None:
    page = visit(width)
    drawing = page.locator("#drawing")
    assert not drawing.is_visible()
    page.locator("#best-cells-table .cell").nth(2).click()
    assert drawing.is_visible()
    assert page.evaluate("document.querySelector('#drawing img').naturalWidth") > 100
    box = drawing.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] >= 0


def test_a_part_that_is_unfolded_is_drawn_then(visit: Visit) -> None:
    page = visit()
    folded = page.locator("article details").first
    assert folded.locator(".chart svg").count() == 0
    folded.locator("summary").click()
    folded.locator(".chart svg").first.wait_for()
