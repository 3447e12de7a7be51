"""Options that several commands take."""

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of the summary."
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")
