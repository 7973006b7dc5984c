"""Commands to hand a dataset on without a pixel, and to make it again from that."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import PUBLISH, DataOption, FileOption, flags, store_at
from pipeline.cli.printers import bar, console
from pipeline.settings import Layer, environment, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.store import Store


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command(rich_help_panel=PUBLISH, epilog="Example: youtube-occ manifest tours.parquet")(manifest)
    app.command(rich_help_panel=PUBLISH, epilog="Example: youtube-occ rebuild tours.parquet --data again")(rebuild)


def manifest(
    path: Annotated[Path, typer.Argument(help="Parquet file to write.", show_default=False)],
    data: DataOption = None,
) -> None:
    """Write down which frames of which videos the dataset holds, with cameras and without a pixel.

    Settings, hashes of weights, words and code versions are taken from what the videos note of how they were made; a
    dataset whose videos were made in different ways is refused, with the difference.
    """
    from pipeline.dataset.manifest import export_manifest

    store = store_at(data)
    with bar(passing=True) as progress:
        videos = export_manifest(store, Catalog(store), path, progress)
    console.print(f"{videos} videos in {path}; videos that are files of this machine are not")


def rebuild(
    path: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Parquet file that `manifest` wrote.")],
    data: DataOption = None,
    settings_file: FileOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fetch the videos of a manifest and make its dataset again; says in what it differs.

    First shows where the manifest's settings are not those that hold here, and asks.
    """
    from pipeline.dataset.index import build_dataset
    from pipeline.dataset.manifest import read_recipe
    from pipeline.dataset.manifest import rebuild as rebuilt
    from pipeline.stages.needed_weights import fetch_weights

    store, differ = store_at(data), 0
    recipe, said = read_recipe(path), (flags(file=settings_file), environment())
    recipe.check_names()
    settings = resolve(Layer(f"the manifest {path}", values=recipe.complete()), *said).settings
    recipe.check_decisive(settings)
    _ask(path, recipe.against(resolve(*said, dataset=store).settings), store, yes=yes)
    fetch_weights(settings, settings.dataset.weight_mirrors)
    with bar() as progress:
        for video in rebuilt(path, store, Catalog(store), settings, progress):
            differ += bool(video.difference)
            progress.console.print(f"{video.video_id}: {video.difference or f'{video.frames} frames, as they were'}")
    console.print(build_dataset(store, settings.dataset).table())
    if differ:
        console.print(f"{differ} videos differ", style="red")
        sys.exit(1)


def _ask(path: Path, lines: list[str], store: Store, *, yes: bool) -> None:
    """Show what a manifest sets otherwise than here, and go on only with consent."""
    from pipeline.dataset.manifest import count_videos

    for line in lines or ["the manifest's settings are those that hold here"]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not yes:
        typer.confirm(f"fetch {count_videos(path)} videos and build them so, in {store.path()}", abort=True)
