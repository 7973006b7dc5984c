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
from pipeline.catalog import registered
from pipeline.errors import VideoLocked
from pipeline.failures import forget_failure, last_failure, worth_trying
from pipeline.process import final_fingerprint, is_built
from pipeline.settings import Settings, data_url, load_settings
from pipeline.sources import VideoSource, read_sources
from pipeline.stages import Workbench
from pipeline.store import Store, VideoStore

PARTITION_TAG = "dagster/partition"
DEFAULT_SOURCES = "sources.yaml"


class PipelineResource(dg.ConfigurableResource["PipelineResource"]):
    """Where the dataset lies, which videos it is made of, and with which settings.

    Every field may be given in the launchpad; what is not given comes from the environment.
    """

    data: str | None = Field(None, description="folder or fsspec URL; else YOUTUBE_OCC_DATA, else ./data")
    sources: str | None = Field(None, description="a .yaml file or sources themselves; else SOURCES, else sources.yaml")
    profile: str | None = Field(None, description="set of backends; else YOUTUBE_OCC_PROFILE, else classic")
    settings_file: str | None = Field(None, description="YAML laid over the profile; else YOUTUBE_OCC_SETTINGS")
    overrides: dict[str, Any] = Field({}, description="single settings on top, as in {scenes: {clip_min_s: 2}}")

    def store(self) -> Store:
        """Return the dataset's store."""
        return Store(data_url(self.data))

    def settings(self) -> Settings:
        """Return the settings of all stages; raises ``SettingsError``."""
        profile = self.profile or os.environ.get("YOUTUBE_OCC_PROFILE") or "classic"
        file = self.settings_file or os.environ.get("YOUTUBE_OCC_SETTINGS")
        return load_settings(profile, Path(file) if file else None, self.overrides)

    def listed(self) -> list[VideoSource]:
        """Return the sources as they are listed now; raises ``SettingsError``."""
        return read_sources(self.sources or os.environ.get("SOURCES") or DEFAULT_SOURCES)

    def missing(self) -> list[str]:
        """Return the registered videos that are not built and worth trying, in order of registration."""
        store, settings = self.store(), self.settings()
        return [video_id for video_id in registered(store) if is_missing(store.video(video_id), settings)]

    def run_config(self) -> dict[str, Any]:
        """Return the run configuration that gives another run this same resource."""
        given = {name: value for name, value in self.model_dump().items() if value}
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
                forget_failure(video)


def is_missing(video: VideoStore, settings: Settings) -> bool:
    """Tell whether a video is not built and worth trying."""
    wanted = final_fingerprint(video.video_id, settings)
    tried_enough = not worth_trying(last_failure(video), wanted, settings.dataset.give_up_after)
    return not is_built(video, settings) and not tried_enough


def _wait_for(video: VideoStore, held: ExitStack) -> None:
    while True:
        try:
            held.enter_context(video.locked(SECONDS_BETWEEN_LINES))
        except VideoLocked as error:
            echo(f"{video.video_id:<16} {error}")
        else:
            return
