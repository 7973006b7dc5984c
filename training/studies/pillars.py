"""ScaLR's questions (Puy et al., CVPR 2024) asked of this network: loss, sizes of teacher and student, mix of data.

Every arm is distilled once a seed, for the same number of steps on the same number of views, then fine-tuned with a
share of the labels, and probed: everything frozen but the last 1x1x1 convolution, which shows what distillation alone
gave. Beside each stands its student from random values. What is done is not done again.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.contract.progress import Progress, named
from pipeline.store.store import Store
from training.checks import check_training, check_unweighted
from training.data import Chained, Frames, StoredFrames
from training.data.subset import FrameSubset
from training.errors import UnusableDataset
from training.runs import pretrain
from training.settings import DistillSettings, FinetuneSettings, LoopSettings
from training.studies.arms import ARMS, MIXED, Arm, Mix, TeacherChoice
from training.studies.label_efficiency import Study, label_efficiency, length
from training.studies.pillar_report import RANDOM, StudentScore, plot, report_of
from training.studies.rooms import alone, both_sides
from training.studies.tour_views import TourViews
from training.teachers.base import Teacher
from training.teachers.features import FeatureSource, JoinedFeatures, check_teacher, features_of
from training.teachers.load import check_kind, load_teacher

QUICK = LoopSettings(steps=200, batch_size=4, learning_rate=6e-3, checkpoint_every=50)
GENTLER = QUICK.model_copy(update={"steps": 400, "learning_rate": 2e-3})
"""Of distillation, which three times the rate had end in a fall back at step 300."""

OTHERS = "--set 'arms=[{name: reference, student: medium}]'"
"""How the command is told to take another preset."""


class PillarStudy(BaseModel):
    """What is compared, and how much is spent on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arms: tuple[Arm, ...] = Field(ARMS, min_length=1, description="the first one is the reference")
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1, description="of start values, order and labels used")
    views: int = Field(400, ge=2, description="pictures that every arm is distilled on")
    train_rooms: int = Field(400, ge=1, description="rooms with labels, one picture each")
    test_rooms: int = Field(200, ge=1, description="rooms that are scored, of other houses")
    share: float = Field(0.1, gt=0, le=1, description="of the labels that is used")
    distill: DistillSettings = Field(DistillSettings(loop=GENTLER), description="of all arms but for their loss")
    finetune: FinetuneSettings = Field(FinetuneSettings(loop=QUICK), description="of fine-tuning and of the probe")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError("two arms have one name")
        return self


@dataclass(frozen=True)
class Findings:
    """Scores of a study, its report as Markdown and its plot as a PNG."""

    scores: tuple[StudentScore, ...]
    report: str
    plot: bytes


def run_pillars(
    study: PillarStudy,
    store: Store,
    folder: Path,
    rooms: Path,
    progress: Progress,
    echo: Callable[[str], None],
) -> Findings:
    """Run a study; ``folder`` then holds ``results.json``, ``report.md`` and ``report.png`` besides the networks.

    rooms: folder of rooms with labels, of which as many are made as are wanted.

    Raises:
        UnusableDataset: there is no dataset, or it has fewer frames than views are wanted.
        WrongCheckpoint: a teacher or preset that there is not; ``folder`` holds another study.
        SettingsError, WeightsUnavailable, NoSuchDevice: as ``check_training`` and ``check_unweighted``.
    """
    check_unweighted(study.finetune, "finetune.")
    for arm in study.arms:
        check_kind(arm.teacher.kind)
        check_training(arm.student, {"distill.": study.distill, "finetune.": study.finetune}, other_preset=OTHERS)
    sources = _Sources(study, store, folder, progress)
    sources.check_teachers(study.arms)
    train, test = both_sides(rooms, (study.train_rooms, study.test_rooms), progress)
    scores = []
    for score in _scores(study, sources, train, test, folder, progress):
        scores.append(score)
        echo(score.line())
        (folder / "results.json").write_text(json.dumps([found.model_dump() for found in scores], indent=1))
    heading = (
        f"* distilled: {study.views} views, {length(study.distill.loop)}, an arm and seed",
        f"* labels: {study.share:.0%} of {len(train)} rooms, {length(study.finetune.loop)}",
        f"* scored: {len(test)} rooms of other houses; seeds {', '.join(map(str, study.seeds))}",
    )
    findings = Findings(tuple(scores), report_of(heading, study.arms, scores), plot(study.arms, scores))
    (folder / "report.md").write_text(findings.report)
    (folder / "report.png").write_bytes(findings.plot)
    return findings


class _Sources:
    """The views of every mix, and what every teacher says of them; each is made when it is first asked for."""

    def __init__(self, study: PillarStudy, store: Store, folder: Path, progress: Progress) -> None:
        self._views, self._folder, self._progress = study.views, folder, progress
        self._stored = StoredFrames(store, "all")
        if len(self._stored) < study.views:
            held = f"{self._stored.origin} has {len(self._stored)} frames for {study.views} views"
            raise UnusableDataset(f"{held}: build more videos, or set views")
        self._dataset = cache(self._dataset_called)
        self._features = cache(self._features_of)
        self.teacher = cache(self._load_teacher)

    def check_teachers(self, arms: Iterable[Arm]) -> None:
        """Load the teachers of all arms before hours are spent; raises as ``load_teacher`` and ``check_teacher``."""
        for choice in dict.fromkeys(arm.teacher for arm in arms):
            check_teacher(self.teacher(choice), self._stored)

    def frames(self, mix: Mix) -> Frames:
        """Return the views of a mix, as many in each."""
        datasets = [self._dataset(name) for name in MIXED[mix]]
        count = len(datasets)
        shares = [FrameSubset(data, range(i, self._views, count), f"1 in {count}") for i, data in enumerate(datasets)]
        return Chained(shares) if count > 1 else datasets[0]

    def features(self, choice: TeacherChoice, mix: Mix) -> FeatureSource:
        """Return what a teacher says of the views of a mix."""
        parts = [(self._dataset(name), self._features(choice, name)) for name in MIXED[mix]]
        return JoinedFeatures(self.frames(mix), parts)

    def _dataset_called(self, name: Mix) -> Frames:
        if name == "tours":
            return TourViews(self._views, self._folder / "views")
        spread = (i * len(self._stored) // self._views for i in range(self._views))
        return FrameSubset(self._stored, spread, f"{self._views} spread evenly")

    def _features_of(self, choice: TeacherChoice, name: Mix) -> FeatureSource:
        progress = named(self._progress, f"{choice.kind} on {name}")
        return features_of(self._dataset(name), self.teacher(choice), self._folder / "features", progress)

    def _load_teacher(self, choice: TeacherChoice) -> Teacher:
        return load_teacher(choice.kind, choice.weights)


def _scores(
    study: PillarStudy,
    sources: _Sources,
    train: Frames,
    test: Frames,
    folder: Path,
    progress: Progress,
) -> Iterator[StudentScore]:
    """Yield every score as it is known: seed by seed, so that a study cut short compares all arms."""
    for seed in study.seeds:
        starts = {arm.name: _distilled(study, arm, seed, sources, folder, progress) for arm in study.arms}
        for student in dict.fromkeys(arm.student for arm in study.arms):
            of_student = {arm.name: starts[arm.name] for arm in study.arms if arm.student == student}
            for probe in (False, True):
                compared = _comparison(study, student, seed, probe=probe)
                place = folder / ("probed" if probe else "fine-tuned") / student
                for result in label_efficiency(compared, train, test, {RANDOM: None, **of_student}, place, progress):
                    yield StudentScore(student=student, probe=probe, result=result)


def _distilled(study: PillarStudy, arm: Arm, seed: int, sources: _Sources, folder: Path, progress: Progress) -> Path:
    loop = study.distill.loop.model_copy(update={"seed": seed})
    settings = study.distill.model_copy(update={"loss": arm.loss, "loop": loop})
    frames, features, name = sources.frames(arm.mix), sources.features(arm.teacher, arm.mix), f"{arm.name}-{seed}"
    width = sources.teacher(arm.teacher).width
    place = folder / "distilled" / name
    with alone(place):
        pretrain(frames, features, width, arm.student, settings, place, named(progress, f"distil {name}"))
    return place


def _comparison(study: PillarStudy, student: str, seed: int, *, probe: bool) -> Study:
    finetune = study.finetune.model_copy(update={"linear_probe": probe})
    return Study(preset=student, shares=(study.share,), seeds=(seed,), finetune=finetune)
