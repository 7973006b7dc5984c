"""What assets are given: where the dataset lies and how it is made, and one video held against other processes."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field
from typer import echo

from assets.progress import SECONDS_BETWEEN_LINES, ScreenLines
from pipeline.contract.errors import VideoLocked
from pipeline.settings import Settings, data_url, load_settings
from pipeline.sources.entries import SourceList, read_entries
from pipeline.sources.fetching import due
from pipeline.stages.bodies import Workbench
from pipeline.stages.failures import last_failure, worth_trying
from pipeline.stages.run import STAGES, final_fingerprint, finish_video, is_built
from pipeline.store.files import Store, VideoStore

PARTITION_TAG = "dagster/partition"
DEFAULT_SOURCES = "sources.yaml"


class PipelineResource(dg.ConfigurableResource["PipelineResource"]):
    """Where the dataset lies, which videos it is made of, and with which settings.

    Every field may be given in the launchpad; what is not given comes from the environment.
    """

    data: str | None = Field(None, description="folder or fsspec URL; else YOUTUBE_OCC_DATA, else ./data")
    sources: str | None = Field(None, description="a .yaml file or sources themselves; else SOURCES, else sources.yaml")
    profile: str | None = Field(None, description="set of backends; else YOUTUBE_OCC_PROFILE, the sources file's")
    settings_file: str | None = Field(None, description="YAML laid over the profile; else YOUTUBE_OCC_SETTINGS")
    overrides: dict[str, Any] = Field({}, description="single settings on top, as in {scenes: {clip_min_s: 2}}")

    @classmethod
    def from_environment(cls) -> "PipelineResource":
        """Return what the environment alone says."""
        return cls.model_validate({})

    def store(self) -> Store:
        """Return the dataset's store."""
        return Store(data_url(self.data))

    def settings(self) -> Settings:
        """Return the settings of all stages; raises ``SettingsError``."""
        file = self.settings_file or os.environ.get("YOUTUBE_OCC_SETTINGS")
        return load_settings(self.chosen_profile(), Path(file) if file else None, self.overrides)

    def chosen_profile(self) -> str:
        """Return the profile asked for, else the one that the sources file names for its videos."""
        return self.profile or os.environ.get("YOUTUBE_OCC_PROFILE") or self.listed().profile or "classic"

    def listed(self) -> SourceList:
        """Return the sources as they are listed now; raises ``SettingsError``."""
        return read_entries(self.sources or os.environ.get("SOURCES") or DEFAULT_SOURCES)

    def missing(self) -> Iterator[str]:
        """Yield the videos that are not built, due and worth trying, in the order that the settings want."""
        store, settings = self.store(), self.settings()
        for row in due(store, settings.download.web, settings.dataset.order):
            if is_missing(store.video(row.video_id), settings, row.built):
                yield row.video_id

    def run_config(self) -> dict[str, Any]:
        """Return the run configuration that gives another run this same resource."""
        given = {name: value for name, value in self.model_dump().items() if value} | {"profile": self.chosen_profile()}
        return {"resources": {"pipeline": {"config": given}}}


class LockedVideo(dg.ConfigurableResource[Workbench]):
    """The video of a run's partition, held against every other process until the run ends."""

    pipeline: dg.ResourceDependency[PipelineResource]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Workbench]:
        """Give what the stages of the video work with, as soon as no other process holds it."""
        if context.run is None or PARTITION_TAG not in context.run.tags:
            raise dg.DagsterInvariantViolationError("choose a video: these assets are made one partition at a time")
        video, settings = self.pipeline.store().video(context.run.tags[PARTITION_TAG]), self.pipeline.settings()
        with ExitStack() as held:
            _wait_for(video, held)
            yield Workbench(video, settings, ScreenLines(video.video_id))
            if is_built(video, settings):
                finish_video(Workbench(video, settings))


def is_missing(video: VideoStore, settings: Settings, built: str = "") -> bool:
    """Tell whether a video is not built and worth trying; ``built`` is the fingerprint that the catalog notes."""
    wanted = final_fingerprint(video.video_id, settings)
    if built == wanted and video.has_group(STAGES["occupancy"].group or ""):
        return False
    tried_enough = not worth_trying(last_failure(video), wanted, settings.dataset.give_up_after)
    return not tried_enough and not is_built(video, settings)


def _wait_for(video: VideoStore, held: ExitStack) -> None:
    while True:
        try:
            held.enter_context(video.locked(SECONDS_BETWEEN_LINES))
        except VideoLocked as error:
            echo(f"{video.video_id:<16} {error}")
        else:
            return
