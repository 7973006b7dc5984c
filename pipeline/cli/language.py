"""The command line of language: ask a dataset in words, and measure how well it answers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from pipeline.cli.app import DataOption, FileOption, ProfileOption, SetOption, app, console, overrides
from pipeline.contract.errors import UnusableQuery
from pipeline.language.heat_map import MAX_BYTES, write_answer
from pipeline.language.query import Answer, ask
from pipeline.language.retrieval import heat_maps, measure, read_benchmark, tour_benchmark, write_benchmark
from pipeline.language.text import NO_MEANING, TextSide, read_prompts
from pipeline.language.zero_shot import label_dataset
from pipeline.pictures.encode import jpeg
from pipeline.settings import data_url, load_settings
from pipeline.store.files import Store


@app.command()
def query(
    text: Annotated[str | None, typer.Argument(help='What to look for, as in "a wooden bookshelf".')] = None,
    data: DataOption = None,
    video: Annotated[str | None, typer.Option(help="Only this video; its id, as in <data>/videos/.")] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Frames, and voxels, to show.")] = 20,
    prompts: Annotated[Path | None, typer.Option(help="List, one a line: label every voxel by it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for pictures, point clouds and labels.")] = Path("query"),
    profile: ProfileOption = "youtube_occ",
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Find frames and voxels by words; the words' weights (semantics.san.weights) must be those of the regions."""
    if text is None and prompts is None:
        raise UnusableQuery("give a text to look for, a list with --prompts, or both")
    settings = load_settings(profile, settings_file, overrides(values or []))
    store, side = Store(data_url(data)), TextSide(settings.semantics.san)
    if text is not None:
        answer = ask(store, side, text, top, video)
        _show(answer, write_answer(store, answer, text, out))
    if prompts is not None:
        counts = label_dataset(store, side, read_prompts(prompts), out / "labels", video)
        table = Table("label", "prompt", "voxels", title=f"zero-shot labels in {out / 'labels'}")
        for label, (prompt, voxels) in enumerate(zip(counts.prompts, counts.voxels.tolist(), strict=True), start=1):
            table.add_row(str(label), prompt, str(voxels))
        console.print(table)
    if side.means_nothing:
        console.print(f"[yellow]{NO_MEANING}[/yellow]")


@app.command()
def retrieval(
    benchmark: Annotated[Path, typer.Argument(help="Folder of the benchmark: queries.csv and masks.npz.")],
    data: DataOption = None,
    make: Annotated[
        int | None, typer.Option(min=1, help="First make it: this many queries on tours of the data.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write heat maps of a few queries to this JPEG.")] = None,
    profile: ProfileOption = "youtube_occ",
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Rank voxels by the texts of a benchmark: mean average precision, beside 2D features projected onto them."""
    settings = load_settings(profile, settings_file, overrides(values or []))
    store, side = Store(data_url(data)), TextSide(settings.semantics.san)
    if make is not None:
        write_benchmark(benchmark, tour_benchmark(store, settings, make))
    queries = read_benchmark(benchmark)
    report = measure(store, side, queries)
    console.print(Markdown(report.markdown()))
    if picture is not None:
        picture.write_bytes(jpeg(heat_maps(store, side, queries, report), MAX_BYTES))
    if side.means_nothing:
        console.print(f"[yellow]{NO_MEANING}[/yellow]")


def _show(answer: Answer, written: list[Path]) -> None:
    frames = Table("frame", "row", "cosine", title="best frames")
    for heat in answer.frames:
        frames.add_row(heat.hit.video_id, str(heat.hit.row), f"{heat.hit.score:.4f}")
    voxels = Table("frame", "row", "voxel", "centre, m", "cosine", title="best voxels")
    for hit in answer.voxels:
        centre = ", ".join(f"{metres:.2f}" for metres in hit.centre)
        voxels.add_row(hit.video_id, str(hit.row), ", ".join(map(str, hit.voxel)), centre, f"{hit.score:.4f}")
    console.print(frames, voxels, f"contact sheet: {written[0]}; {len(written) - 1} voxel clouds beside it")
