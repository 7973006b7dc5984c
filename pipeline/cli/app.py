"""``youtube-occ``: all commands in one place.

Other packages add theirs, a function or a Typer app, by the entry point ``youtube_occ.commands``, ``<panel>.<name>``.
"""

from importlib.metadata import entry_points

import typer

from pipeline.cli import ask, build, doctor, look, publish, score, sources, state, view
from pipeline.cli.options import SOURCES
from pipeline.cli.printers import errors_in_one_line

ENTRY_POINTS = "youtube_occ.commands"


def command_line() -> typer.Typer:
    """Return the command line with the commands of all packages."""
    app = typer.Typer(
        help="From house-tour videos to a dataset for 3D semantic occupancy.",
        epilog="To build a dataset of many videos: dagster job execute -j build_dataset",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for module in (build, score, doctor, state, view, look, ask, publish):
        module.add_to(app)
    app.add_typer(sources.app, name="sources", rich_help_panel=SOURCES)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda found: found.name):
        panel, _, name = point.name.rpartition(".")
        added = point.load()
        if isinstance(added, typer.Typer):
            app.add_typer(added, name=name, rich_help_panel=panel or None)
        else:
            app.command(name, rich_help_panel=panel or None)(added)
    return app


def main() -> None:
    """Run a command; an error made on purpose ends in one line, not in a traceback."""
    with errors_in_one_line():
        command_line()(prog_name="youtube-occ")
