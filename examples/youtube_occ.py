"""The paper as a script: videos to a dataset, a network pre-trained on it, fine-tuned with labels, and scored.

``python examples/youtube_occ.py --sources sources.yaml --nyu ~/nyu/depthbin`` is the paper, and takes a GPU and days.
``python examples/youtube_occ.py --tours 2 --profile small --teacher san --weights san_small --preset tiny --steps 20``
tries all of it on rendered tours, without a download; with ``--short`` in a few minutes.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from one_video import SHORT

import pipeline
import training
from pipeline.contract.progress import Lines
from pipeline.sources.video_source import read_sources
from pipeline.store.store import Store
from pipeline.tours.seeds import TUNING_SEEDS
from training.data import Frames, StoredFrames
from training.teachers.features import store_features
from training.teachers.load import load_teacher


def main(
    sources: Annotated[str, typer.Option(help="A .yaml file, or sources themselves.")] = "sources.yaml",
    tours: Annotated[int, typer.Option(help="Take so many rendered tours instead.")] = 0,
    nyu: Annotated[Path | None, typer.Option(help="NYUv2's depthbin; else the labels of the dataset.")] = None,
    folder: Annotated[Path, typer.Option(help="Where all of it goes.")] = Path("paper"),
    profile: Annotated[str, typer.Option(help="classic, small or youtube_occ.")] = "youtube_occ",
    teacher: Annotated[str, typer.Option(help="dinov2, efficientnet, san or san_stem.")] = "dinov2",
    weights: Annotated[str, typer.Option(help="The teacher's: a name or a file.")] = "dinov2_base",
    preset: Annotated[str, typer.Option(help="paper, medium, fine, small or tiny.")] = "paper",
    steps: Annotated[int | None, typer.Option(help="Steps of each training; else as many epochs as the paper.")] = None,
    short: Annotated[bool, typer.Option(help="Make tours of a single shot.")] = False,
) -> None:
    """Run everything; what is done is not done again, so that it may be stopped at any moment."""
    overrides = SHORT if short else {}

    # Section 3: from videos to a dataset.
    named = " ".join(f"tour://{seed}" for seed in range(1, tours + 1)) or sources
    build(named, folder / "data", profile, overrides)

    # Section 4.2: an occupancy network learns from an image network, without labels.
    frames = StoredFrames(Store(folder / "data"), "train")
    taught = load_teacher(teacher, weights)
    features = store_features(frames, taught, Lines())
    distil = training.DistillSettings(loop=loop(steps, learning_rate=8e-4))
    training.pretrain(frames, features, taught.width, preset, distil, folder / "pretrained", Lines())

    # Section 5: fine-tuned with labels, and scored as the field does.
    learned, scored = labelled(nyu, folder, profile, overrides)
    finetune = training.FinetuneSettings(loop=loop(steps))
    training.finetune(learned, preset, folder / "pretrained", finetune, folder / "finetuned", Lines())
    network = training.load_network(folder / "finetuned")
    print(training.evaluate(network, scored, "fine-tuned", Lines()).markdown())


def build(sources: str, data: Path, profile: str, overrides: dict[str, Any]) -> None:
    """Build every video here and now; ``make build_dataset`` does it with Dagster, several at once."""
    for source in read_sources(sources):
        frames = pipeline.process(source.origin, data, profile, overrides, Lines(source.video_id))
        print(f"{source.video_id}: {len(frames)} frames")


def labelled(nyu: Path | None, folder: Path, profile: str, overrides: dict[str, Any]) -> tuple[Frames, Frames]:
    """Return what has labels, to learn from and to score: NYUv2, or the dataset and a tour that is not in it."""
    if nyu is not None:
        benchmark = training.FramesSource(kind="nyu", path=str(nyu))
        return benchmark.open("train"), benchmark.open("test")
    held_out = {**overrides, "dataset": {"validation_share": 1.0}}
    build(f"tour://{TUNING_SEEDS[0]}", folder / "evaluation", profile, held_out)
    paths = str(folder / "data"), str(folder / "evaluation")
    data, evaluation = (training.FramesSource(path=path) for path in paths)
    return data.open("train"), evaluation.open("test")


def loop(steps: int | None, **values: Any) -> training.LoopSettings:
    """Return the paper's schedule, or one of so many steps."""
    return training.LoopSettings(steps=steps, **values)


if __name__ == "__main__":
    typer.run(main)
