"""The tables of a page are replaced by those that a tool printed."""

from tools.reproduce.renew import renewed

PAGE = """# Page

text | with a bar

## One

| a | b |
| --- | --- |
| 1 | 2 |

Words.

## Two

| a | b |
| --- | --- |
| 3 | 4 |
"""


def test_a_table_is_replaced_under_its_heading_only() -> None:
    printed = "## One\n\n| a | b |\n| --- | --- |\n| 5 | 6 |\n| 7 | 8 |\n"
    assert renewed(PAGE, printed) == PAGE.replace("| 1 | 2 |", "| 5 | 6 |\n| 7 | 8 |")


def test_what_has_no_place_on_the_page_changes_nothing() -> None:
    printed = "## Three\n\n| a | b |\n| --- | --- |\n| 5 | 6 |\n\n## One\n\n| other |\n| --- |\n"
    assert renewed(PAGE, printed) == PAGE
    assert renewed(PAGE, "") == PAGE


def test_a_table_printed_above_any_heading_goes_where_its_first_line_stands() -> None:
    page = PAGE.replace("## Two\n\n| a | b |", "## Two\n\n| c | d |")
    printed = "Some words.\n\n| c | d |\n| --- | --- |\n| 5 | 6 |\n"
    assert renewed(page, printed) == page.replace("| 3 | 4 |", "| 5 | 6 |")


def test_tables_that_begin_alike_under_one_heading_keep_their_order() -> None:
    page = PAGE.replace("## Two\n\n", "")
    printed = "## One\n\n| a | b |\n| 5 | 6 |\n\n| a | b |\n| 7 | 8 |\n"
    fresh = page.replace("| --- | --- |\n", "").replace("1 | 2", "5 | 6").replace("3 | 4", "7 | 8")
    assert renewed(page, printed) == fresh
