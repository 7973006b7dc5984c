"""The command line of training. Under ``torchrun --nproc-per-node N -m training ...`` every process takes its part.

Networks are imported by the commands, so that help costs nothing.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.errors import ModelError
from pipeline.contract.arrays import Floats
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.contract.progress import Lines, named
from pipeline.contract.values import parsed, with_values
from training.options import (
    JUDGE,
    LEARN,
    KindOption,
    OutOption,
    PathOption,
    PresetOption,
    ReadOption,
    StartOption,
    ValueOption,
    source,
)
from training.studies import commands as studies

if TYPE_CHECKING:
    from PIL import Image

    from training.data import Frames
    from training.language.speaker import Speaker
    from training.language.words import ClassWords

app = typer.Typer(
    help="Occupancy networks from the dataset: distil, fine-tune, ask in words, score.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ExportName = Literal["monoscene", "colmap", "nerfstudio", "ply", "hf", "webdataset", "occscannet"]
PICTURE_BYTES = 400_000


@app.command(
    rich_help_panel=LEARN, epilog="Example: youtube-occ train pretrain --weights dinov2_small --out networks/a"
)
def pretrain(
    weights: Annotated[str, typer.Option(help="Weights of the teacher: a file or a registered name.")],
    out: OutOption,
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    teacher: Annotated[str, typer.Option(help="dinov2, efficientnet, san or san_stem.")] = "dinov2",
    preset: PresetOption = "paper",
    values: ValueOption = None,
) -> None:
    """Distil a frozen image network into an occupancy network, without labels (section 4.2)."""
    from training.checks import check_training
    from training.paper_preset import with_papers_step
    from training.runs import pretrain as distil
    from training.settings import DistillSettings
    from training.teachers.features import features_of
    from training.teachers.load import load_teacher

    settings = with_values(DistillSettings, with_papers_step(preset, parsed(values or [])))
    check_training(preset, {"": settings})
    frames = source(kind, path, read).open("train")
    taught = load_teacher(teacher, weights)
    features = features_of(frames, taught, out / "features", Lines())
    made = distil(frames, features, taught.width, preset, settings, out, Lines())
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command(rich_help_panel=LEARN, epilog="Example: youtube-occ train finetune --start networks/a --out networks/b")
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
    from training.paper_preset import with_papers_step
    from training.runs import finetune as supervise
    from training.settings import FinetuneSettings

    settings = with_values(FinetuneSettings, with_papers_step(preset, parsed(values or [])))
    made = supervise(source(kind, path, read).open("train"), preset, start, settings, out, Lines())
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command(rich_help_panel=LEARN, epilog="Example: youtube-occ train language --path data --out networks/c")
def language(
    out: OutOption,
    path: PathOption = None,
    read: ReadOption = None,
    start: StartOption = None,
    preset: PresetOption = "paper",
    values: ValueOption = None,
) -> None:
    """Learn from our dataset which voxels are occupied and what they say in the space of its region embeddings."""
    from training.language.embeddings import SpokenFrames
    from training.paper_preset import with_papers_step
    from training.runs import learn_language
    from training.settings import LanguageSettings

    settings = with_values(LanguageSettings, with_papers_step(preset, parsed(values or [])))
    frames = SpokenFrames(source("stored", path, read).stored("train"))
    made = learn_language(frames, preset, start, settings, out, Lines())
    typer.echo(f"{out}: {made.steps} steps on {made.data}")


@app.command("zero_shot", rich_help_panel=JUDGE, epilog="Example: youtube-occ train zero_shot networks/c --query sofa")
def zero_shot_command(
    network: Annotated[Path, typer.Argument(help="Folder of a network with a language head.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    weights: Annotated[str | None, typer.Option(help="Whose words: else those the network was trained with.")] = None,
    vocabulary: Annotated[Path | None, typer.Option(help="YAML of words by class; else the project's.")] = None,
    closed_set: Annotated[Path | None, typer.Option(help="Folder of a fine-tuned network to score beside it.")] = None,
    query: Annotated[str | None, typer.Option(help="With --picture: show what says this, too.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write a prediction beside its truth to this JPEG.")] = None,
) -> None:
    """Score a language head on the eleven classes by their words, through the weights that it learned from."""
    from pipeline.contract.language import NO_MEANING, region_network, text_side
    from pipeline.contract.vocabulary import default_vocabulary, load_vocabulary
    from pipeline.pictures.encode import jpeg
    from training.checkpoints import describe, load_network
    from training.language.speaker import Speaker
    from training.language.words import class_words, weights_named
    from training.language.zero_shot import zero_shot
    from training.scores.evaluate import classifier

    words_of = weights or weights_named(describe(network).text_weights, str(network))
    text, frames = text_side(words_of), source(kind, path, read).open("test")
    speaker = Speaker.load(network, text)
    words = class_words(text, load_vocabulary(vocabulary) if vocabulary else default_vocabulary())
    asked = None if query is None else (query, text.embed([query])[0])
    rivals = {f"closed set ({closed_set.name})": classifier(load_network(closed_set))} if closed_set else {}
    scores = zero_shot(
        speaker, words, region_network(words_of), frames, network.name, rivals, named(Lines(), "zero-shot")
    )
    typer.echo(f"{frames.origin}\n\n{scores.markdown()}")
    if picture:
        picture.write_bytes(jpeg(_spoken_page(speaker, words, frames, asked), PICTURE_BYTES))
    if text.means_nothing:
        typer.echo(f"\n{NO_MEANING}")


@app.command(rich_help_panel=JUDGE, epilog="Example: youtube-occ train evaluate networks/b --picture seen.jpg")
def evaluate(
    network: Annotated[Path, typer.Argument(help="Folder of a fine-tuned network.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    picture: Annotated[Path | None, typer.Option(help="Write a prediction beside its truth to this JPEG.")] = None,
) -> None:
    """Score a network as the field does, with two baselines and the support of every class beside it."""
    from training.checkpoints import load_network
    from training.scores.evaluate import evaluate as score
    from training.scores.evaluate import predict
    from training.scores.picture import prediction_picture

    frames, trained = source(kind, path, read).open("test"), load_network(network)
    typer.echo(f"{frames.origin}\n\n{score(trained, frames, network.name, Lines()).markdown()}")
    if picture:
        sample = frames[0]
        picture.write_bytes(prediction_picture(sample, predict(trained, sample), PICTURE_BYTES))


@app.command(
    rich_help_panel=JUDGE,
    epilog="Example: youtube-occ export --path data --out shared --format hf --filter 'probability_right>=0.8'",
)
def export(
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    kind: KindOption = "stored",
    path: PathOption = None,
    read: ReadOption = None,
    layout: Annotated[ExportName, typer.Option("--format", help="What it is to be opened with.")] = "monoscene",
    split: Annotated[Literal["train", "validation", "all"], typer.Option(help="Frames of one side.")] = "all",
    conditions: Annotated[
        list[str] | None, typer.Option("--filter", help="Frames of our dataset whose column of the index is so.")
    ] = None,
) -> None:
    """Write a dataset for other programs; the same call again goes on where one was cut off."""
    typer.echo(f"{layout}, into {out}")
    given = source(kind, path, read)
    if layout == "monoscene":
        from training.exports.monoscene import export_rooms

        typer.echo(f"{export_rooms(given, out, split, conditions or (), Lines())} frames in {out}")
        return
    from training.exports.run import export_dataset

    if kind != "stored" or read:
        raise SettingsError(
            f"--kind and --read are for monoscene; {layout} is of our dataset: take --split and --filter"
        )
    frames = export_dataset(given.store(), out, layout, split, conditions or (), Lines())
    typer.echo(f"{frames} frames in {out}")


def _spoken_page(
    speaker: "Speaker", words: "ClassWords", frames: "Frames", asked: "tuple[str, Floats] | None"
) -> "Image.Image":
    """Return a prediction beside its truth; where something is asked, of the frame that says most of it, with heat."""
    from pipeline.pictures.layout import below
    from training.language.heat import heat_picture, hottest
    from training.scores.picture import prediction_page

    if asked is None:
        return prediction_page(frames[0], speaker.classes(frames[0], words))
    query, vector = asked
    sample, heat = hottest(speaker, frames, vector)
    return below(prediction_page(sample, speaker.classes(sample, words)), heat_picture(sample, heat, query))


studies.add_to(app)


def main() -> None:
    """Run a command; an error made on purpose ends in one line, not in a traceback."""
    try:
        app()
    except (PipelineError, ModelError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)
