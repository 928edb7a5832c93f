"""The type of options and arguments that name files."""

import click

FILE = click.Path(readable=False)
"""A file or a folder, which shells complete; whether it is there and can be read is found out on opening."""
