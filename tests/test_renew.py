"""The tables of a page are replaced by those that a tool printed."""

from renew import renewed

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
