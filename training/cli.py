"""The command line of training. Under ``torchrun --nproc-per-node N -m training ...`` every process takes its part."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from PIL import Image

from models.errors import ModelError
from pipeline.cli.options import FileOption, ProfileOption
from pipeline.cli.options import SetOption as StageSetOption
from pipeline.contract.errors import PipelineError
from pipeline.contract.language import NO_MEANING
from pipeline.contract.records import Floats
from pipeline.contract.values import parsed
from pipeline.contract.vocabulary import load_vocabulary
from pipeline.language.text import SanText
from pipeline.pictures.encode import jpeg
from pipeline.pictures.layout import below
from pipeline.settings import load_settings
from pipeline.stages.semantics.backends import SAN
from pipeline.stages.semantics.san import SanSegmenter
from pipeline.stages.semantics.stage import semantics
from training.checkpoints import load_network
from training.data import Frames
from training.data.export import export_monoscene
from training.data.source import FramesSource
from training.language.embeddings import SpokenFrames
from training.language.heat import heat_picture, hottest
from training.language.speaker import Speaker
from training.language.words import ClassWords, class_words
from training.language.zero_shot import zero_shot
from training.runs import finetune as supervise
from training.runs import learn_language
from training.runs import pretrain as distil
from training.scores.evaluate import classifier, predict
from training.scores.evaluate import evaluate as score
from training.scores.picture import prediction_page, prediction_picture
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings
from training.teachers.features import features_of
from training.teachers.load import load_teacher
from training.values import checked, with_values

app = typer.Typer(help="Occupancy networks from the dataset.", no_args_is_help=True, pretty_exceptions_enable=False)

KindOption = Annotated[str, typer.Option("--kind", help="stored, nyu, monoscene or occscannet.")]
PathOption = Annotated[str | None, typer.Option("--path", help="Data folder or URL, or folder of the benchmark.")]
ReadOption = Annotated[
    list[str] | None, typer.Option(help="How: every=3, version=..., by=official or by_space, unknown=ignore or empty.")
]
PresetOption = Annotated[str, typer.Option(help="paper, medium, small or tiny.")]
OutOption = Annotated[Path, typer.Option(help="Folder for the network, its curves and its state.")]
ValueOption = Annotated[list[str] | None, typer.Option("--set", help="One value, as in --set loop.epochs=5.")]
StartOption = Annotated[Path | None, typer.Option(help="Folder of a pre-trained network; else random values.")]
PICTURE_BYTES = 400_000


@app.command()
def pretrain(
    weights: Annotated[str, typer.Option(help="Weights of the teacher: a file or a registered name.")],
    out: OutOption,
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    teacher: Annotated[str, typer.Option(help="dinov2, san or san_stem.")] = "dinov2",
    preset: PresetOption = "paper",
    values: ValueOption = None,
) -> None:
    """Distil a frozen image network into an occupancy network, without labels (section 4.2)."""
    frames = source(kind, path, read).open("train")
    taught = load_teacher(teacher, weights)
    features = features_of(frames, taught, out / "features", Lines("teacher features"))
    settings = with_values(DistillSettings, parsed(values or []))
    made = distil(frames, features, taught.width, preset, settings, out, Lines("distillation"))
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command()
def finetune(
    out: OutOption,
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    start: StartOption = None,
    preset: PresetOption = "paper",
    values: ValueOption = None,
) -> None:
    """Train with labels; --set label_share=0.1 for a part of them, --set linear_probe=true for the head alone."""
    settings = with_values(FinetuneSettings, parsed(values or []))
    made = supervise(source(kind, path, read).open("train"), preset, start, settings, out, Lines("fine-tuning"))
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command()
def language(
    out: OutOption,
    path: PathOption = None,
    read: ReadOption = None,
    start: StartOption = None,
    preset: PresetOption = "paper",
    values: ValueOption = None,
) -> None:
    """Learn from our dataset which voxels are occupied and what they say in the space of its region embeddings."""
    settings = with_values(LanguageSettings, parsed(values or []))
    frames = SpokenFrames(source("stored", path, read).stored("train"))
    made = learn_language(frames, preset, start, settings, out, Lines("language"))
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command("zero_shot")
def zero_shot_command(
    network: Annotated[Path, typer.Argument(help="Folder of a network with a language head.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    vocabulary: Annotated[Path | None, typer.Option(help="YAML of words by class; else the project's.")] = None,
    closed_set: Annotated[Path | None, typer.Option(help="Folder of a fine-tuned network to score beside it.")] = None,
    query: Annotated[str | None, typer.Option(help="With --picture: show what says this, too.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write a prediction beside its truth to this JPEG.")] = None,
    profile: ProfileOption = "youtube_occ",
    settings_file: FileOption = None,
    values: StageSetOption = None,
) -> None:
    """Score a language head on the eleven classes by their words; the words' weights must be those it learned from."""
    settings = load_settings(profile, settings_file, parsed(values or [])).of(semantics).of(SAN)
    text, frames = SanText(settings), source(kind, path, read).open("test")
    speaker = Speaker.load(network, text)
    words = class_words(text, load_vocabulary(vocabulary) if vocabulary else settings.words())
    asked = None if query is None else (query, text.embed([query])[0])
    rivals = {f"closed set ({closed_set.name})": classifier(load_network(closed_set))} if closed_set else {}
    scores = zero_shot(speaker, words, SanSegmenter(settings), frames, network.name, rivals, Lines("zero-shot"))
    typer.echo(f"{frames.origin}\n\n{scores.markdown()}")
    if picture:
        picture.write_bytes(jpeg(_spoken_page(speaker, words, frames, asked), PICTURE_BYTES))
    if text.means_nothing:
        typer.echo(f"\n{NO_MEANING}")


@app.command()
def evaluate(
    network: Annotated[Path, typer.Argument(help="Folder of a fine-tuned network.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    picture: Annotated[Path | None, typer.Option(help="Write a prediction beside its truth to this JPEG.")] = None,
) -> None:
    """Score a network as the field does, with two baselines and the support of every class beside it."""
    frames, trained = source(kind, path, read).open("test"), load_network(network)
    typer.echo(f"{frames.origin}\n\n{score(trained, frames, network.name, Lines('evaluation')).markdown()}")
    if picture:
        sample = frames[0]
        picture.write_bytes(prediction_picture(sample, predict(trained, sample), PICTURE_BYTES))


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    layout: Annotated[Literal["monoscene"], typer.Option("--format", help="Layout to write.")] = "monoscene",
) -> None:
    """Write both sides of a dataset as NYUv2 for the loaders of MonoScene, ISO and Symphonies."""
    typer.echo(f"{layout}, into {out}")
    for side in ("train", "test"):
        frames, progress = source(kind, path, read).open(side), Lines(side)
        for done, _ in enumerate(export_monoscene(frames, out, side), start=1):
            progress(done, len(frames))


@app.command()
def experiment(
    weights: Annotated[str, typer.Option(help="Weights of the teacher: a file or a registered name.")],
    data: Annotated[str | None, typer.Option(help="Dataset of rendered tours; YOUTUBE_OCC_DATA or ./data.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for rooms, networks and report.")] = Path("data/experiment"),
    values: ValueOption = None,
) -> None:
    """Run the label-efficiency experiment on rendered rooms; goes on where it was stopped."""
    from training.studies.experiment import Experiment
    from training.studies.experiment import run as run_experiment

    settings = with_values(Experiment, {"weights": weights, **parsed(values or [])})
    typer.echo(run_experiment(settings, FramesSource(path=data).store(), out, Lines, typer.echo))


@app.command()
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
    from training.studies.pillars import PillarStudy, run_pillars

    settings = with_values(PillarStudy, parsed(values or []))
    store = FramesSource(path=data).store()
    typer.echo(run_pillars(settings, store, out, rooms or out / "rooms", Lines, typer.echo).report)


def _spoken_page(speaker: Speaker, words: ClassWords, frames: Frames, asked: tuple[str, Floats] | None) -> Image.Image:
    """Return a prediction beside its truth; where something is asked, of the frame that says most of it, with heat."""
    if asked is None:
        return prediction_page(frames[0], speaker.classes(frames[0], words))
    query, vector = asked
    sample, heat = hottest(speaker, frames, vector)
    return below(prediction_page(sample, speaker.classes(sample, words)), heat_picture(sample, heat, query))


class Lines:
    """Prints how far something is, at most a hundred lines of it, from the first process only."""

    def __init__(self, subject: str) -> None:
        self.subject, self._last = subject, -1

    def __call__(self, done: int, total: int) -> None:
        """Print a line if another hundredth is done."""
        share = 100 * done // max(total, 1)
        if share != self._last and os.environ.get("RANK", "0") == "0":
            typer.echo(f"{self.subject:<28} {share:>3} %  {done} of {total}")
        self._last = share


def source(kind: str, path: str | None, read: list[str] | None) -> FramesSource:
    """Return a dataset by kind, path and single values; raises ``SettingsError`` for an unknown one."""
    given = {name: value for name, _, value in (entry.partition("=") for entry in read or [])}
    return checked(FramesSource, {**given, "kind": kind, "path": path})


def main() -> None:
    """Run a command; an error made on purpose ends in one line, not in a traceback."""
    try:
        app()
    except (PipelineError, ModelError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)
