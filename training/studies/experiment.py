"""``make experiment``: rooms, pre-training, label efficiency, zero-shot; what is done is not done again."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.progress import Progress, named
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of
from training.checkpoints import load_network
from training.data import Frames, MonoSceneRooms, Sample, StoredFrames
from training.data.export import with_nyu_camera, write_room
from training.errors import UnusableDataset
from training.runs import finetune, pretrain
from training.scores.evaluate import evaluate
from training.settings import DistillSettings, FinetuneSettings, LoopSettings
from training.studies.label_efficiency import FinetunedScore, Study, label_efficiency, plot, spread, table
from training.studies.rooms import alone, both_sides, read_rooms, room_sample
from training.teachers.features import store_features
from training.teachers.load import load_teacher

BASELINES = ("iou all in view occupied", "iou surface from depth")
QUICK = LoopSettings(steps=200, batch_size=4, learning_rate=6e-3, checkpoint_every=50)
GENTLER = QUICK.model_copy(update={"steps": 400, "learning_rate": 2e-3})
"""Of distillation, which three times the rate had end in a fall back at step 300."""


class Experiment(BaseModel):
    """The paper's experiment in miniature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_rooms: int = Field(400, ge=2, description="rooms with labels, one picture each")
    test_rooms: int = Field(200, ge=1, description="rooms that are scored, of other houses")
    teacher: str = Field("dinov2", description="dinov2, efficientnet, san or san_stem")
    weights: str = Field(description="file or registered name of the teacher's weights")
    every: int = Field(1, ge=1, description="of the dataset's frames every n-th is distilled on")
    relabelled_every: int = Field(
        4, ge=1, description="every n-th is rendered again with exact labels, for zero-shot; neighbours are much alike"
    )
    distill: DistillSettings = DistillSettings(loop=GENTLER)
    study: Study = Study(finetune=FinetuneSettings(loop=QUICK))


def run(experiment: Experiment, store: Store, folder: Path, progress: Progress, echo: Callable[[str], None]) -> str:
    """Run the experiment on a dataset of rendered tours; returns the report, also as ``report.md`` and ``report.png``.

    Raises:
        UnusableDataset: a video of the dataset is no rendered tour, so that its exact labels are not known.
    """
    train, test = both_sides(folder / "rooms", (experiment.train_rooms, experiment.test_rooms), progress)
    frames = StoredFrames(store, "all", every=experiment.every)
    distilled = _distilled(experiment, frames, folder, progress)
    results = []
    for result in label_efficiency(
        experiment.study, train, test, {"random": None, "distilled": distilled}, folder / "finetuned", progress
    ):
        results.append(result)
        echo(f"{result.start} {result.share:.0%} seed {result.seed}: mIoU {100 * result.figures['miou all']:.2f}")
    relabelled = StoredFrames(store, "all", frames.version, experiment.relabelled_every)
    zero_shot = dict(_zero_shot(experiment, relabelled, test, folder, progress))
    report = _report(experiment, results, zero_shot, (frames, relabelled), (train, test))
    (folder / "report.md").write_text(report)
    (folder / "report.png").write_bytes(plot(results))
    (folder / "results.json").write_text(json.dumps([result.model_dump() for result in results], indent=1))
    return report


def _distilled(experiment: Experiment, frames: StoredFrames, folder: Path, progress: Progress) -> Path:
    """Return the folder of the network that was pre-trained on the dataset."""
    distilled, study = folder / "distilled", experiment.study
    teacher = load_teacher(experiment.teacher, experiment.weights)
    features = store_features(frames, teacher, progress)
    with alone(distilled):
        pretrain(frames, features, teacher.width, study.preset, experiment.distill, distilled, progress)
    return distilled


def _zero_shot(
    experiment: Experiment, frames: StoredFrames, test: Frames, folder: Path, progress: Progress
) -> Iterator[tuple[str, dict[str, float]]]:
    """Train on the dataset's own labels, and on exact ones of the same frames; score both on the rooms."""
    for kind, read in (("pipeline", _as_stored), ("exact", _exactly)):
        place = folder / f"labels_{kind}_{frames.version}_{experiment.relabelled_every}"
        network = folder / f"zero_shot_{kind}"
        settings, preset = experiment.study.finetune, experiment.study.preset
        with alone(network):
            labels = _relabelled(frames, read, place, named(progress, f"{kind} labels"))
            finetune(labels, preset, None, settings, network, named(progress, f"zero-shot {kind}"))
        yield kind, evaluate(load_network(network), test, kind, named(progress, f"zero-shot {kind} test")).summary()


def _relabelled(
    frames: StoredFrames, read: Callable[[StoredFrames, int], Sample], folder: Path, progress: Progress
) -> MonoSceneRooms:
    """Write the dataset's frames as NYUv2's camera sees them; what is there stays."""
    for index, (video_id, row) in enumerate(frames.rows):
        name = f"NYU{video_id}_{row:04d}"
        if not (folder / "base" / "NYUtrain" / f"{name}.pkl").exists():
            write_room(with_nyu_camera(read(frames, index)), folder, "train", name)
        progress("labels", index + 1, len(frames))
    return read_rooms(folder, "train")


def _as_stored(frames: StoredFrames, index: int) -> Sample:
    return frames[index]


def _exactly(frames: StoredFrames, index: int) -> Sample:
    """Return a frame with exact depth, camera and grid, rendered again from the tour's seed."""
    video_id, row = frames.rows[index]
    frame = int(frames.store.video(video_id).read("frames", "frame_index")[row])
    return room_sample(_tour(frames.store, video_id), frame, frames.names[index])


@lru_cache(maxsize=1)
def _tour(store: Store, video_id: str) -> Tour:
    tour = tour_of(store.video(video_id))
    if tour is None:
        message = f"{video_id} is no rendered tour, so that its exact labels are not known: use a dataset of tours only"
        raise UnusableDataset(message)
    return tour


def _report(
    experiment: Experiment,
    results: Sequence[FinetunedScore],
    zero_shot: Mapping[str, Mapping[str, float]],
    dataset: tuple[Frames, Frames],
    rooms: tuple[Frames, Frames],
) -> str:
    (frames, relabelled), (train, test) = dataset, rooms
    gains = gains_of(results)
    distilled, supervised = (length(loop) for loop in (experiment.distill.loop, experiment.study.finetune.loop))
    lines = [
        f"* distilled on: {frames.origin}, {len(frames)} frames, {distilled}, teacher {experiment.teacher}",
        f"* labels: {len(train)} rooms, {supervised}; scored: {len(test)} rooms of other houses",
        f"* preset {experiment.study.preset}, seeds {', '.join(map(str, experiment.study.seeds))}",
        "",
        table(results),
        "",
        "| labels | gain of distillation, mIoU (paired by seed) |",
        "|---|---|",
        *(f"| {share:.0%} | {spread(values)} |" for share, values in gains.items()),
        "",
        f"| zero-shot, trained on {len(relabelled)} frames | mIoU | IoU |",
        "|---|---|---|",
        *(
            f"| {kind} labels | {100 * figures['miou all']:.2f} | {100 * figures['iou all']:.2f} |"
            for kind, figures in zero_shot.items()
        ),
    ]
    baselines = {name: value for name, value in results[0].figures.items() if name in BASELINES}
    lines += [f"| baseline: {name.removeprefix('iou ')} | | {100 * value:.2f} |" for name, value in baselines.items()]
    return "\n".join(lines) + "\n"


def length(loop: LoopSettings) -> str:
    """Return how long a training is, in words."""
    amount = f"{loop.epochs} epochs" if loop.steps is None else f"{loop.steps} steps"
    return f"{amount} of {loop.batch_size * loop.accumulate}"


def gains_of(results: Sequence[FinetunedScore]) -> dict[float, list[float]]:
    """Return, by share of labels, how much distillation adds to mIoU for each seed, in [0, 1]."""
    found = {(r.start, r.share, r.seed): r.figures["miou all"] for r in results}
    shares = sorted({result.share for result in results})
    seeds = sorted({result.seed for result in results})
    return {
        share: [found["distilled", share, seed] - found["random", share, seed] for seed in seeds] for share in shares
    }
