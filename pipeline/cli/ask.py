"""The command line of language: ask a dataset in words, and measure how well it answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipeline.cli.options import (
    LOOK,
    DataOption,
    FileOption,
    ProfileOption,
    ReportingOption,
    SetOption,
    completed_videos,
    flags,
    resolved_for_words,
    store_at,
)
from pipeline.cli.printers import bar, console, print_markdown, say_logged
from pipeline.contract.errors import UnusableQuery
from pipeline.contract.language import NO_MEANING
from pipeline.settings import Layer, Settings
from pipeline.store.store import Store, data_url
from pipeline.tours.frozen import Look, frozen_among, looking

if TYPE_CHECKING:
    from pipeline.language.query import Answer
    from pipeline.language.text import SanText


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command(rich_help_panel=LOOK, epilog='Example: youtube-occ query "a bookcase" --top 20')(query)
    app.command(rich_help_panel=LOOK, epilog="Example: youtube-occ retrieval bench --make 30")(retrieval)


def query(
    text: Annotated[str | None, typer.Argument(help='What to look for, as in "a bookcase".')] = None,
    data: DataOption = None,
    video: Annotated[
        str | None, typer.Option(help="Only this video; its id, as in <data>/videos/.", autocompletion=completed_videos)
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Frames, and voxels, to show.")] = 20,
    prompts: Annotated[Path | None, typer.Option(help="List, one a line: label every voxel by it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for pictures, point clouds and labels.")] = Path("query"),
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Find frames and voxels by words, through the text side of the weights that made the dataset's regions.

    An index of all regions is kept in scratch and follows the dataset: a video that changed costs its part of it.
    """
    if text is None and prompts is None:
        raise UnusableQuery("give a text to look for, a list with --prompts, or both")
    from pipeline.language.heat_map import write_answer
    from pipeline.language.query import ask
    from pipeline.language.text import read_prompts
    from pipeline.language.zero_shot import label_dataset

    store, side = _asked(data, flags(profile, settings_file, values))[:2]
    if text is not None:
        with bar(passing=True) as progress:
            answer = ask(store, side, text, top, video, progress)
        _show(answer, write_answer(store, answer, text, out))
    if prompts is not None:
        with bar(passing=True) as progress:
            counts = label_dataset(store, side, read_prompts(prompts), out / "labels", video, progress)
        table = Table("label", "prompt", "voxels", title=f"zero-shot labels in {out / 'labels'}")
        for label, (prompt, voxels) in enumerate(zip(counts.prompts, counts.voxels.tolist(), strict=True), start=1):
            table.add_row(str(label), prompt, str(voxels))
        console.print(table)
    if side.means_nothing:
        console.print(NO_MEANING, style="yellow")


def retrieval(
    benchmark: Annotated[Path, typer.Argument(help="Folder of the benchmark: queries.csv and masks.npz.")],
    data: DataOption = None,
    make: Annotated[
        int | None, typer.Option(min=1, help="First make it: this many queries on tours of the data.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write heat maps of a few queries to this JPEG.")] = None,
    reporting: ReportingOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Rank voxels by the texts of a benchmark: mean average precision, beside 2D features projected onto them."""
    from pipeline.contract.language import NO_MEANING
    from pipeline.language.heat_map import MAX_BYTES
    from pipeline.language.retrieval import heat_maps, measure, read_benchmark, tour_benchmark, write_benchmark
    from pipeline.pictures.encode import jpeg

    store, side, settings = _asked(data, flags(profile, settings_file, values))
    queries = read_benchmark(benchmark) if make is None else None
    asked = [query.video_id for query in queries.queries] if queries else store.video_ids()
    look = Look("youtube-occ retrieval", settings.profile, reporting)
    with looking(frozen_among(store, asked), look, data_url(data)) as log:
        say_logged(log)
        with bar(passing=True) as progress:
            if queries is None:
                write_benchmark(benchmark, tour_benchmark(store, settings, make or 1, progress=progress))
                queries = read_benchmark(benchmark)
            report = measure(store, side, queries, progress)
        print_markdown(report.markdown())
        if picture is not None:
            picture.write_bytes(jpeg(heat_maps(store, side, queries, report), MAX_BYTES))
    if side.means_nothing:
        console.print(NO_MEANING, style="yellow")


def _asked(data: str | None, said: Layer) -> "tuple[Store, SanText, Settings]":
    """Return the dataset, the text side of the weights that its regions were made with, and its settings."""
    from pipeline.language.text import SanText
    from pipeline.stages.semantics.backends import SAN
    from pipeline.stages.semantics.stage import semantics

    store = store_at(data)
    settings = resolved_for_words(said, store).settings
    return store, SanText(settings.of(semantics).of(SAN)), settings


def _show(answer: "Answer", written: list[Path]) -> None:
    frames = Table("frame", "row", "cosine", title="best frames")
    for heat in answer.frames:
        frames.add_row(heat.hit.video_id, str(heat.hit.row), f"{heat.hit.score:.4f}")
    voxels = Table("frame", "row", "voxel", "centre, m", "cosine", title="best voxels")
    for hit in answer.voxels:
        centre = ", ".join(f"{metres:.2f}" for metres in hit.centre)
        voxels.add_row(hit.video_id, str(hit.row), ", ".join(map(str, hit.voxel)), centre, f"{hit.score:.4f}")
    console.print(frames, voxels, f"contact sheet: {written[0]}; {len(written) - 1} voxel clouds beside it")
