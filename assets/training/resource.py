"""What the training assets are given: the networks' folder, preset, teacher, benchmark and settings."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field
from typer import echo

from assets.resources import PipelineResource
from models.gpu import gpu_share

if TYPE_CHECKING:
    from training.data.source import FramesSource
    from training.studies.label_efficiency import Study


class TrainingResource(dg.ConfigurableResource["TrainingResource"]):
    """Which networks are trained on what, and where they lie. Several devices: use ``torchrun -m training``."""

    pipeline: dg.ResourceDependency[PipelineResource]
    folder: str | None = Field(
        default=None, description="where networks go; else YOUTUBE_OCC_NETWORKS, else ./data/networks"
    )
    preset: str = Field(default="small", description="paper, medium, fine, small or tiny")
    teacher: str = Field(default="dinov2", description="dinov2, efficientnet, san or san_stem")
    weights: str = Field(default="dinov2_small", description="the teacher's: a file or a registered name")
    benchmark: dict[str, Any] = Field(
        default={}, description="{kind: nyu, path: ...}; else the dataset's validation split"
    )
    distill: dict[str, Any] = Field(default={}, description="settings of pre-training, as {loop: {epochs: 5}}")
    language: dict[str, Any] = Field(default={}, description="settings of the language head, as {loop: {epochs: 5}}")
    query: str = Field(default="sofa", description="what the language head's preview looks for")
    study: dict[str, Any] = Field(
        default={}, description="of fine-tuning and comparison, as {finetune: {label_share: 0.1}}"
    )

    pillars: dict[str, Any] = Field(
        default={}, description="of the study of distillation, as {seeds: [0], views: 100, arms: [{name: reference}]}"
    )

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["TrainingResource"]:
        """Serve one run, which holds the whole graphics card, if there is one, until it ends."""
        del context
        with gpu_share(1.0, lambda: echo("waits for the graphics card")):
            yield self

    def place(self, name: str, *identity: Any) -> Path:
        """Return the folder of a network or report; another identity (dataset, settings) has another folder."""
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:8]
        networks = Path(self.folder or os.environ.get("YOUTUBE_OCC_NETWORKS") or "data/networks")
        return networks / f"{name}-{digest}"

    def pretrained(self, dataset_version: str) -> Path:
        """Return the folder of the network that was pre-trained on a version of the dataset."""
        from training.settings import DistillSettings
        from training.weight_files import with_files

        settings = self.settings(DistillSettings, self.distill).model_dump(mode="json")
        identity = [dataset_version, self.preset, self.teacher, self.weights, settings]
        files = with_files({}, teacher=self.weights, image_weights=settings["image_weights"])
        return self.place("pretrained", *identity, *([files] if files else []))

    def labelled(self, dataset_version: str) -> Path:
        """Return the folder of the network that was trained on the labels of a version of the dataset."""
        study = self.comparison()
        return self.place("zero_shot", dataset_version, study.preset, study.finetune.model_dump())

    def benchmark_source(self) -> "FramesSource":
        """Return the benchmark; raises ``SettingsError``."""
        from pipeline.contract.values import checked
        from training.data.source import FramesSource

        return checked(FramesSource, {"path": self.pipeline.store().root, **self.benchmark})

    def settings(self, kind: type[Any], values: dict[str, Any]) -> Any:
        """Return settings with values laid over the defaults; raises ``SettingsError``."""
        from pipeline.contract.values import with_values

        return with_values(kind, values)

    def comparison(self) -> "Study":
        """Return the study's settings; raises ``SettingsError``."""
        from training.studies.label_efficiency import Study

        study: Study = self.settings(Study, {"preset": self.preset, **self.study})
        return study
