"""The command that looks whether this machine can do what is asked of it."""

import typer
from rich.text import Text

from pipeline.cli.options import (
    BUILD,
    DataOption,
    FileOption,
    ProfileOption,
    SetOption,
    SourcesOption,
    flags,
    resolved,
    store_at,
)
from pipeline.cli.printers import console
from pipeline.doctor.finding import Gravity
from pipeline.sources.entries import listed_sources

COLOURS = {Gravity.OK: "green", Gravity.NOTE: "yellow", Gravity.WRONG: "red"}


def add_to(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command(rich_help_panel=BUILD, epilog="Example: youtube-occ doctor --profile youtube_occ")(doctor)


def doctor(
    data: DataOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    sources: SourcesOption = None,
) -> None:
    """Look whether this machine can build what the sources name, before a batch finds out.

    A line each, with what to do: "ok"; "note" stops nothing; "wrong" does, and makes the exit code 1. Looked at are
    versions, yt-dlp and a JavaScript runtime (which runs a script), cookies, proxy, tokens, room in the data folder,
    temporary files, open files, clock, weights with their sizes and licences, GPU and bfloat16, DAGSTER_HOME, /dev/shm.
    What the web needs is wrong only where a source lies there. Nothing is changed, nothing is downloaded; only the
    proxy, where one is named, is asked to lead to YouTube. Builds look at the part that concerns them by themselves.
    """
    from pipeline.doctor.examine import examine

    store, listed = store_at(data), listed_sources(sources, required=sources is not None)
    settings = resolved(flags(profile, settings_file, values), store, listed).settings
    worst = 0
    for found in examine(store, settings, listed.entries if listed else ()):
        line = Text(found.line())
        line.stylize(COLOURS[found.state], 0, len(found.state))
        console.print(line, soft_wrap=True)
        worst = max(worst, int(found.state is Gravity.WRONG))
    raise typer.Exit(worst)
