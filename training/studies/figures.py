"""The figures of an experiment's folder: what every run with the same settings has told, of whichever seeds."""

import json
from pathlib import Path
from typing import Self

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from models.array_cache import content_key
from models.atomic import draft
from training.checkpoints import comparable
from training.data import Frames
from training.data.content import content_of
from training.errors import UnusableDataset
from training.probes.scores import ProbeScore
from training.studies.experiment_settings import Experiment
from training.studies.label_efficiency import FinetunedScore
from training.weight_files import with_files


class StudyFigures(BaseModel):
    """What is done: probes and fine-tuned networks, seed by seed, and what the dataset's own labels are worth.

    zero_shot: figures of networks by the labels that they were trained on, of ``relabelled`` frames.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probes: tuple[ProbeScore, ...] = ()
    results: tuple[FinetunedScore, ...] = ()
    zero_shot: dict[str, dict[str, float]] = {}
    relabelled: int = 0

    def with_more(self, more: "StudyFigures") -> Self:
        """Return these with others, which take the place of what was told of the same network."""
        probed = {(found.seed, found.start, found.rooms): found for found in (*self.probes, *more.probes)}
        tuned = {(found.seed, found.start, found.share): found for found in (*self.results, *more.results)}
        is_same = not more.zero_shot or self.relabelled == more.relabelled
        kept = self.zero_shot if is_same else {}
        return self.model_copy(
            update={
                "probes": tuple(sorted(probed.values(), key=lambda score: score.seed)),
                "results": tuple(sorted(tuned.values(), key=lambda score: score.seed)),
                "zero_shot": {**kept, **more.zero_shot},
                "relabelled": more.relabelled or self.relabelled,
            }
        )

    @property
    def seeds(self) -> set[int]:
        """Those of which something is told."""
        return {score.seed for score in self.probes} | {score.seed for score in self.results}


class FigureFile:
    """``figures/<digest of the settings>.json`` of a folder, to which runs add; several may at once."""

    def __init__(self, folder: Path, made_with: str) -> None:
        self.path = folder / "figures" / f"{made_with[:16]}.json"

    def add(self, more: StudyFigures) -> StudyFigures:
        """Add figures and return all that are there.

        Raises:
            UnusableDataset: the file holds something else; it stays.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            found = self._read().with_more(more)
            with draft(self.path) as written:
                written.write_text(found.model_dump_json(indent=1))
        return found

    def _read(self) -> StudyFigures:
        if not self.path.exists():
            return StudyFigures()
        try:
            return StudyFigures.model_validate_json(self.path.read_bytes())
        except ValidationError as error:
            message = f"{self.path} holds no figures of an experiment: move it away, and they are asked for again"
            raise UnusableDataset(message) from error


def made_with(experiment: Experiment, frames: Frames, *rooms: Frames) -> str:
    """Return a digest of all that decides a figure but its start, share and seed; rooms: of every side.

    Raises:
        BrokenBenchmark: a file of the rooms cannot be read.
    """
    tuning = experiment.study.finetune
    settings = [
        comparable("distilled", experiment.distill.model_dump(mode="json")),
        comparable("supervised", tuning.model_dump(mode="json")),
        with_files({}, weights=experiment.weights) or experiment.weights,
        experiment.probe.model_dump(mode="json"),
        [experiment.study.preset, experiment.teacher],
    ]
    return content_key(json.dumps(settings, sort_keys=True), *map(content_of, (frames, *rooms)))
