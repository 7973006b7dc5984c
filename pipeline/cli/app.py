"""The command line. Dagster builds datasets; these commands are for looking closely and for debugging."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.cli.sources import app as sources_app
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.settings import PROFILES, Settings, data_url, load_settings
from pipeline.sources.catalog.catalog import register
from pipeline.sources.video_source import parse_source
from pipeline.stages.bodies import Workbench
from pipeline.stages.run import STAGES, StageReport, process_video
from pipeline.store.files import Store

if TYPE_CHECKING:
    from pipeline.quality import QualityReport

app = typer.Typer(
    help="From house-tour videos to a dataset for 3D semantic occupancy.",
    epilog="To build a dataset of many videos: dagster job execute -j build_dataset",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(sources_app, name="sources")
console = Console()

DataOption = Annotated[
    str | None, typer.Option("--data", help="Data folder or fsspec URL; YOUTUBE_OCC_DATA or ./data.")
]
ProfileOption = Annotated[str, typer.Option(help=f"Set of backends: {', '.join(PROFILES)}.")]
FileOption = Annotated[Path | None, typer.Option("--settings", help="YAML file laid over the profile.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="One value, as in --set scenes.clip_min_s=2.")]


@app.command()
def process(
    source: Annotated[str, typer.Argument(help="tour://SEED, a video file, or an http(s) URL.")],
    data: DataOption = None,
    profile: ProfileOption = "classic",
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Run the seven stages on one video, here and now. What is already done with the same settings is reused."""
    settings = load_settings(profile, settings_file, overrides(values or []))
    store = Store(data_url(data))
    video_id = register(store, [parse_source(source)])[0]
    with _bars() as bars:
        bench = Workbench(store.video(video_id), settings, _BarProgress(bars))
        for report in process_video(bench):
            bars.console.print(_line(report))
    console.print(f"done: {store.path('videos', video_id)}")


@app.command()
def score(
    seeds: Annotated[str, typer.Option(help="Tours to score: 1000001-1000010 or 3,5,8.")] = "1000001-1000010",
    data: DataOption = None,
    profiles: Annotated[
        list[str] | None, typer.Option("--profile", help=f"Of {', '.join(PROFILES)}; several are set side by side.")
    ] = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    plot: Annotated[Path | None, typer.Option(help="Write the plots to this PNG.")] = None,
) -> None:
    """Build rendered tours and compare every stage with their exact truth.

    Seeds below 1,000,000 are for tuning, the others for evaluation only. Work that is done is reused: with several
    profiles, each has its own folder below the data folder.
    """
    from pipeline.quality import plot_side_by_side, side_by_side

    names = list(dict.fromkeys(name for given in profiles or ["classic"] for name in given.split(",")))
    every = [load_settings(name, settings_file, overrides(values or [])) for name in names]
    folders = [data_url(data)] if len(names) == 1 else [f"{data_url(data).rstrip('/')}/{name}" for name in names]
    reports = [_scored(Store(folder), chosen, seeds) for folder, chosen in zip(folders, every, strict=True)]
    alone = reports[0] if len(reports) == 1 else None
    console.print(Markdown(alone.markdown() if alone else side_by_side(reports)))
    if plot:
        plot.write_bytes(alone.plot() if alone else plot_side_by_side(reports))
        console.print(f"plots: {plot}")


def _scored(store: Store, settings: Settings, seeds: str) -> "QualityReport":
    """Build tours with one profile, going on past those that fail, and score them."""
    from pipeline.quality import tour_quality

    console.print(f"[bold]profile {settings.profile}")
    video_ids = register(store, [parse_source(f"tour://{seed}") for seed in seed_list(seeds)])
    with _bars() as bars:
        progress = _BarProgress(bars)
        for video_id in video_ids:
            bars.console.print(f"[bold]{video_id}")
            try:
                for report in process_video(Workbench(store.video(video_id), settings, progress)):
                    bars.console.print(_line(report))
            except PipelineError as error:
                bars.console.print(f"  [red]{error.code}[/red]: {error}")
        return tour_quality(store, video_ids, settings, progress)


@app.command("settings")
def show_settings(
    profile: ProfileOption = "classic", settings_file: FileOption = None, values: SetOption = None
) -> None:
    """Print every setting with its value, unit and origin."""
    settings = load_settings(profile, settings_file, overrides(values or []))
    table = Table("setting", "value", "what it is")
    for name, value, description in _described(settings, ""):
        table.add_row(name, value, description)
    console.print(table)


@app.command()
def preview(
    video_id: Annotated[str, typer.Argument(help="Id of a built video, as in <data>/videos/.")],
    data: DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("preview"),
) -> None:
    """Write a picture of every stage of a built video: clips, depth, cameras, labels, grids."""
    from pipeline.stages.previews import preview as picture

    video = Store(data_url(data)).video(video_id)
    out.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        path = out / f"{video_id}-{stage}.jpg"
        path.write_bytes(picture(video, stage, 4_000_000))
        console.print(str(path))


@app.command("manifest")
def export(
    path: Annotated[Path, typer.Argument(help="Parquet file to write.")],
    data: DataOption = None,
    profile: ProfileOption = "classic",
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Write down which frames of which videos the dataset holds, with cameras and without a pixel.

    Name the settings that the dataset was built with: they are part of the manifest.
    """
    from pipeline.dataset.manifest import export_manifest

    settings = load_settings(profile, settings_file, overrides(values or []))
    videos = export_manifest(Store(data_url(data)), settings, path)
    console.print(f"{videos} videos in {path}; videos that are files of this machine are not")


@app.command("rebuild")
def rebuild_dataset(
    manifest: Annotated[Path, typer.Argument(help="Parquet file that `manifest` wrote.")],
    data: DataOption = None,
    settings_file: FileOption = None,
) -> None:
    """Fetch the videos of a manifest and make its dataset again; says in what it differs."""
    from pipeline.dataset.index import build_dataset
    from pipeline.dataset.manifest import manifest_settings, read_header, rebuild

    settings = manifest_settings(read_header(manifest), load_settings(file=settings_file))
    store, differ = Store(data_url(data)), 0
    with _bars() as bars:
        for video in rebuild(manifest, store, settings, _BarProgress(bars)):
            differ += bool(video.difference)
            bars.console.print(f"{video.video_id}: {video.difference or f'{video.frames} frames, as they were'}")
    console.print(build_dataset(store, settings.dataset).table())
    if differ:
        console.print(f"[red]{differ} videos differ")
        sys.exit(1)


@app.command("rejects")
def show_rejects(
    data: DataOption = None,
    profile: ProfileOption = "classic",
    settings_file: FileOption = None,
    values: SetOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the contact sheets.")] = Path("rejects"),
) -> None:
    """Count the clips that were left out, by reason, and write a contact sheet for each."""
    from pipeline.dataset.rejects import reject_sheet, rejects
    from pipeline.pictures.encode import jpeg

    store = Store(data_url(data))
    found = rejects(store, load_settings(profile, settings_file, overrides(values or [])).dataset.filters)
    out.mkdir(parents=True, exist_ok=True)
    for code, clips in found.items():
        path = out / f"{code}.jpg"
        path.write_bytes(jpeg(reject_sheet(store, clips), 4_000_000))
        console.print(f"{len(clips):>6} {code:<24} {path}")
    if not found:
        console.print("no clip was left out")


def overrides(values: list[str]) -> dict[str, Any]:
    """Turn ``["scenes.clip_min_s=2"]`` into nested mappings; values are read as YAML.

    Raises:
        SettingsError: an entry is not of the form name=value.
    """
    nested: dict[str, Any] = {}
    for entry in values:
        name, separator, value = entry.partition("=")
        if not (name and separator):
            message = f"--set {entry!r}: write it as stage.name=value"
            raise SettingsError(message)
        *parents, leaf = name.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = yaml.safe_load(value)
    return nested


def seed_list(text: str) -> list[int]:
    """Turn ``1000001-1000003`` or ``3,5,8`` into seeds.

    Raises:
        SettingsError: the text is neither.
    """
    try:
        ranges = [[int(end) for end in part.split("-")] for part in text.split(",")]
        return [seed for ends in ranges for seed in range(ends[0], ends[-1] + 1)]
    except ValueError as error:
        message = f"seeds {text!r}: write them as 1000001-1000010 or 3,5,8"
        raise SettingsError(message) from error


class _BarProgress:
    """Shows every stage's progress as one bar."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.task = bars.add_task("", total=1, note="")

    def __call__(self, stage: str, done: float, total: float, note: str = "") -> None:
        self.bars.update(self.task, description=f"{stage:<15}", completed=done, total=max(total, 1e-9), note=note)


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=console)


def _line(report: StageReport) -> str:
    made = report.provenance
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    left_out = "".join(
        f"\n    [yellow]left out clip {item.clip_id}[/yellow]: {item.code}: {item.detail}" for item in made.left_out
    )
    return f"  {made.stage:<15}{state:>9}  {counts}{left_out}"


def _described(model: Any, prefix: str) -> list[tuple[str, str, str]]:
    rows = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if hasattr(type(value), "model_fields"):
            rows += _described(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", str(value), field.description or ""))
    return rows


def main() -> None:
    """Run a command; an error made on purpose ends in one line, not in a traceback."""
    try:
        app()
    except PipelineError as error:
        console.print(f"[red]{error.code}[/red]: {error}")
        sys.exit(1)
