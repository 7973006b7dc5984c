"""Networks trained on the dataset: teacher features, pre-training, fine-tuning, and what it was worth."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from typer import echo

from assets.dataset.dataset import dataset
from assets.metadata import PREVIEW_BYTES, picture, table
from assets.training.resource import TrainingResource
from pipeline.contract.progress import Lines, named

if TYPE_CHECKING:
    from training.checkpoints import NetworkDescription
    from training.data import Frames

GPU = "gpu"
"""Pool of the trainings; a run of theirs holds the graphics card, which stages of videos wait for too."""


@dg.asset(group_name="training", deps=[dataset], pool=GPU)
def teacher_features(training: TrainingResource) -> dg.MaterializeResult:
    """Features of a frozen image network for every frame, beside the frames in the store."""
    from training.data import StoredFrames
    from training.teachers.features import feature_group, store_features
    from training.teachers.load import load_teacher

    frames = StoredFrames(training.pipeline.store(), "all")
    teacher = load_teacher(training.teacher, training.weights)
    store_features(frames, teacher, Lines("training"))
    return dg.MaterializeResult(
        metadata={
            "dataset": frames.version,
            "frames": len(frames),
            "group": feature_group(teacher),
            "weights": dg.MetadataValue.json(dict(teacher.weights)),
        }
    )


@dg.asset(group_name="training", deps=[teacher_features], pool=GPU)
def pretrained_network(training: TrainingResource) -> dg.MaterializeResult:
    """An occupancy network that has learned to agree with the teacher, without labels (section 4.2)."""
    from training.data import StoredFrames
    from training.runs import pretrain
    from training.settings import DistillSettings
    from training.teachers.features import store_features
    from training.teachers.load import load_teacher

    settings = training.settings(DistillSettings, training.distill)
    frames, teacher = (
        StoredFrames(training.pipeline.store(), "train"),
        load_teacher(training.teacher, training.weights),
    )
    folder = training.pretrained(frames.version)
    features = store_features(frames, teacher, Lines("training"))
    made = pretrain(frames, features, teacher.width, training.preset, settings, folder, Lines("training"))
    return dg.MaterializeResult(metadata={"dataset": frames.version, **described(folder, made)})


@dg.asset(group_name="training", deps=[pretrained_network], pool=GPU)
def finetuned_network(training: TrainingResource) -> dg.MaterializeResult:
    """The pre-trained network, fine-tuned with the benchmark's labels."""
    from training.runs import finetune

    benchmark, study = training.benchmark_source(), training.comparison()
    version = _version(training)
    start = training.pretrained(version)
    folder = training.place("finetuned", start.name, benchmark.model_dump(), study.finetune.model_dump())
    made = finetune(benchmark.open("train"), study.preset, start, study.finetune, folder, Lines("training"))
    report = _scored(folder, benchmark.open("test"))
    return dg.MaterializeResult(metadata={"dataset": version, **described(folder, made), **report})


@dg.asset(group_name="training", deps=[dataset], pool=GPU)
def zero_shot_report(training: TrainingResource) -> dg.MaterializeResult:
    """A network trained on the pipeline's own labels alone, scored on the benchmark."""
    from training.data import StoredFrames
    from training.runs import finetune

    frames, study = StoredFrames(training.pipeline.store(), "train"), training.comparison()
    folder = training.labelled(frames.version)
    made = finetune(frames, study.preset, None, study.finetune, folder, named(Lines("training"), "zero-shot"))
    report = _scored(folder, training.benchmark_source().open("test"))
    return dg.MaterializeResult(metadata={"dataset": frames.version, **described(folder, made), **report})


@dg.asset(group_name="training", deps=[pretrained_network], pool=GPU)
def label_efficiency_report(training: TrainingResource) -> dg.MaterializeResult:
    """Random against pre-trained start, over shares of the benchmark's labels and seeds."""
    from training.studies.label_efficiency import label_efficiency, network_name, plot
    from training.studies.label_efficiency import table as by_share

    benchmark, study = training.benchmark_source(), training.comparison()
    version = _version(training)
    pretrained = training.pretrained(version)
    folder = training.place("label_efficiency", pretrained.name, benchmark.model_dump(), study.model_dump())
    starts = {"random": None, "distilled": pretrained}
    sides = benchmark.open("train"), benchmark.open("test")
    results = list(label_efficiency(study, *sides, starts, folder, Lines("training")))
    echo(f"\n{by_share(results)}\n")
    shown = folder / network_name("distilled", max(study.shares), study.seeds[0])
    return dg.MaterializeResult(
        metadata={
            "dataset": version,
            "folder": dg.MetadataValue.path(str(folder)),
            "settings": dg.MetadataValue.json(study.model_dump(mode="json")),
            "benchmark": sides[0].origin,
            "table": dg.MetadataValue.md(by_share(results)),
            "plot": _small_picture(plot(results)),
            "curves": _small_picture((shown / "curves.png").read_bytes()),
            "prediction": _predicted(shown, sides[1]),
            "results": table(
                {"start": r.start, "share": r.share, "seed": r.seed, **{k: float(v) for k, v in r.figures.items()}}
                for r in results
            ),
        }
    )


@dg.asset(group_name="training", deps=[dataset], pool=GPU)
def distillation_study(training: TrainingResource) -> dg.MaterializeResult:
    """What distillation alone gives, by loss, size of the teacher, size of the student and mix of data (ScaLR)."""
    from training.studies.pillars import PillarStudy, run_pillars

    study = training.settings(PillarStudy, training.pillars)
    folder = training.place("distillation_study", _version(training), study.model_dump(mode="json"))
    findings = run_pillars(study, training.pipeline.store(), folder, training.place("rooms"), Lines("training"), echo)
    return dg.MaterializeResult(
        metadata={
            "folder": dg.MetadataValue.path(str(folder)),
            "report": dg.MetadataValue.md(findings.report),
            "plot": _small_picture(findings.plot),
            "results": table(
                {
                    "student": score.student,
                    "start": score.result.start,
                    "probe": score.probe,
                    "seed": score.result.seed,
                    **{name: float(value) for name, value in score.result.figures.items()},
                }
                for score in findings.scores
            ),
        }
    )


def _version(training: TrainingResource) -> str:
    from pipeline.store.index import read_summary
    from training.errors import UnusableDataset

    summary = read_summary(training.pipeline.store())
    if summary is None:
        raise UnusableDataset("there is no dataset: run the job build_dataset first")
    return summary.version


def described(folder: Path, made: "NetworkDescription") -> dict[str, Any]:
    """Return the metadata of a trained network: where it lies, what it was trained on and how, and its curves."""
    return {
        "folder": dg.MetadataValue.path(str(folder)),
        "trained_on": made.data,
        "steps": made.steps,
        "settings": dg.MetadataValue.json(made.settings),
        "curves": _small_picture((folder / "curves.png").read_bytes()),
    }


def _scored(folder: Path, frames: "Frames") -> dict[str, Any]:
    from training.checkpoints import load_network
    from training.scores.evaluate import evaluate

    scores = evaluate(load_network(folder), frames, folder.name, Lines("training"))
    echo(f"\n{frames.origin}\n{scores.markdown()}\n")
    return {
        "benchmark": frames.origin,
        "scores": dg.MetadataValue.md(scores.markdown()),
        "prediction": _predicted(folder, frames),
        **{name: float(value) for name, value in scores.summary().items()},
    }


def _predicted(folder: Path, frames: "Frames") -> dg.MetadataValue:
    """Embed what a network predicts for the first frame, beside the truth."""
    from training.checkpoints import load_network
    from training.scores.evaluate import predict
    from training.scores.picture import prediction_picture

    sample = frames[0]
    return picture(prediction_picture(sample, predict(load_network(folder), sample), PREVIEW_BYTES))


def _small_picture(png: bytes) -> dg.MetadataValue:
    """Embed a plot, as a JPEG small enough for the event log."""
    import io

    from PIL import Image

    from pipeline.pictures.encode import jpeg

    return picture(jpeg(Image.open(io.BytesIO(png)), PREVIEW_BYTES))
