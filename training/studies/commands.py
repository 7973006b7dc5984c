"""The commands of studies: what pre-training is worth, by labels and by pillar; what labels are worth; lost names."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.contract.progress import Lines
from pipeline.contract.values import laid_over, parsed, with_values
from training.options import STUDY, ValueOption

ToursOption = Annotated[
    str | None, typer.Option("--data", help="Dataset of rendered tours; YOUTUBE_OCC_DATA or ./data.")
]
NetworksArgument = Annotated[
    list[Path] | None, typer.Argument(help="Folders of networks, as of several seeds; else one of random values.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    examples: dict[str, Callable[..., None]] = {
        "experiment --weights dinov2_small --out data/experiment": experiment,
        "study --data data --out data/study": study,
        "label_worth networks/a networks/b --data data --out data/label_worth": label_worth,
        "lost_names networks/a --data data --set every=2": lost_names,
    }
    for example, command in examples.items():
        app.command(example.split()[0], rich_help_panel=STUDY, epilog=f"Example: youtube-occ train {example}")(command)


def experiment(
    weights: Annotated[str, typer.Option(help="Weights of the teacher: a file or a registered name.")],
    data: ToursOption = None,
    out: Annotated[Path, typer.Option(help="Folder for rooms, networks and report.")] = Path("data/experiment"),
    size: Annotated[
        Literal["cpu", "h100"], typer.Option(help="h100: the paper's network, for an hour of a card.")
    ] = "cpu",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be trained and what it costs.")] = False,
    values: ValueOption = None,
) -> None:
    """Run the label-efficiency experiment on rendered rooms; goes on where it was stopped."""
    from models.errors import NoSuchDevice
    from training.data.source import FramesSource
    from training.studies.checks import check_experiment
    from training.studies.cost import cost_table
    from training.studies.experiment import run as run_experiment
    from training.studies.experiment_settings import SIZES, Experiment
    from training.studies.power import power_line

    settings = with_values(Experiment, laid_over(SIZES[size], {"weights": weights, **parsed(values or [])}))
    typer.echo(f"{cost_table(settings)}\n\nFine-tuning: {power_line(len(settings.study.seeds), settings.deviation)}.")
    try:
        check_experiment(settings)
    except NoSuchDevice as error:
        if not dry_run:
            raise
        typer.echo(f"\nThe run itself needs a card that this machine does not have: {error}.")
    if dry_run:
        return
    typer.echo(run_experiment(settings, FramesSource(path=data).store(), out, Lines(), typer.echo))


def study(
    data: Annotated[
        str | None, typer.Option(help="Dataset that the pipeline built; YOUTUBE_OCC_DATA or ./data.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for views, networks and report.")] = Path("data/study"),
    rooms: Annotated[
        Path | None, typer.Option(help="Rooms with labels, as of an experiment; else made in out.")
    ] = None,
    values: ValueOption = None,
) -> None:
    """Compare losses, teachers, students and datasets of distillation, fine-tuned and by linear probe (ScaLR)."""
    from training.data.source import FramesSource
    from training.studies.pillars import PillarStudy, run_pillars

    settings = with_values(PillarStudy, parsed(values or []))
    store = FramesSource(path=data).store()
    typer.echo(run_pillars(settings, store, out, rooms or out / "rooms", Lines(), typer.echo).report)


def label_worth(
    networks: NetworksArgument = None,
    data: ToursOption = None,
    out: Annotated[Path, typer.Option(help="Folder for rooms, voxels and report.")] = Path("data/label_worth"),
    rooms: Annotated[
        Path | None, typer.Option(help="Rooms to score, as of an experiment (benchmark); else made in out.")
    ] = None,
    values: ValueOption = None,
) -> None:
    """Ask what a dataset's labels are worth to who learns from them: linear probes, scored on exact rooms.

    The probes of each network are taught by the dataset's grids as they were built, then with scale, depth and names
    made exact in turn, then with rows doubted by scale_sigma and by the confidence of labels, then with unknown voxels
    called empty. The network itself is not trained. A frame takes 27 MB of memory: --set every=10 for large datasets.
    """
    from training.data.source import FramesSource
    from training.studies.label_worth import WorthSettings, run_worth

    settings = with_values(WorthSettings, parsed(values or []))
    store = FramesSource(path=data).store()
    typer.echo(run_worth(settings, networks or [], store, out, rooms or out / "rooms", Lines()))


def lost_names(
    networks: NetworksArgument = None,
    data: Annotated[
        str | None, typer.Option(help="Dataset with region embeddings; YOUTUBE_OCC_DATA or ./data.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Whose words: else those that embedded the regions.")] = None,
    values: ValueOption = None,
) -> None:
    """Ask where a language head loses names: in what it is taught, in the features it reads, or in how it learns.

    Voxels of visible regions are read by heads that are solved to the optimum on all videos but one, and asked about
    that one, in turn. IoU by class, against the name that a voxel's own target comes closest to: if no head finds a
    name that is taught, the features do not hold it.
    """
    from training.data.source import FramesSource
    from training.language.lost_names import LostNamesSettings, run_lost_names

    settings = with_values(LostNamesSettings, parsed(values or []))
    typer.echo(run_lost_names(settings, networks or [], FramesSource(path=data).store(), weights, Lines()))
