"""What assets are given: where the dataset lies and how it is made, and one video held against other processes."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr
from typer import echo

from assets.launchpad import LaunchpadSettings, Profile, given
from assets.progress import both, events_of
from assets.stopped import ends_when_terminated
from models.memory import limited_memory, machine_bytes
from models.places import Places
from pipeline.contract.errors import NotReadableNow, PipelineError, VideoLocked
from pipeline.contract.progress import SECONDS_BETWEEN_LINES, Lines
from pipeline.dataset.known import settled
from pipeline.dataset.selection import Selection
from pipeline.settings import Layer, Resolved, Settings, environment, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.current_rules import bring_rules
from pipeline.sources.due import due
from pipeline.sources.entries import SourceList, listed_sources, read_entries, sources_text
from pipeline.stages.base import Workbench
from pipeline.stages.chain import by_newer_code, finished_fingerprint
from pipeline.stages.failures import last_failure, worth_trying
from pipeline.stages.needed_weights import fetch_weights
from pipeline.stages.run import final_fingerprints, finish_video, is_built
from pipeline.stages.video.stage import video
from pipeline.store.drafts import this_host
from pipeline.store.store import Store, data_url
from pipeline.store.video import VideoStore

PARTITION_TAG = "dagster/partition"
HOST_TAG = "youtube_occ/host"
"""On which machine a run is, whose processes no other machine sees."""
PARTITIONS = "videos"
"""Name of the partitions that are single videos."""


@dataclass
class _SeenByRun:
    """What a run has seen so far. store: its folder ``dataset`` is as it was listed."""

    store: Store | None = None
    resolved: Resolved | None = None
    catalog: Catalog | None = None


class PipelineResource(dg.ConfigurableResource["PipelineResource"]):
    """Where the dataset lies, which videos it is made of, and with which settings.

    Every field may be given in the launchpad; what is not given comes from the environment, the sources file, or what
    the dataset at hand was made with.
    """

    data: str | None = Field(None, description="folder or fsspec URL; else YOUTUBE_OCC_DATA, else ./data")
    sources: str | None = Field(None, description="a .yaml file or sources themselves; else SOURCES, else sources.yaml")
    profile: Profile | None = Field(None, description="set of backends; else YOUTUBE_OCC_PROFILE, the sources file's")
    settings_file: str | None = Field(None, description="YAML laid over the profile; else YOUTUBE_OCC_SETTINGS")
    overrides: LaunchpadSettings = Field(
        LaunchpadSettings(), description="single settings on top, as in {clips: {clip_min_s: 2}}"
    )

    _seen: _SeenByRun | None = PrivateAttr(None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Begin a run, which asks a bucket once for what it has seen, and says on which machine it is."""
        self._seen = _SeenByRun()
        if context.instance is not None and context.run is not None and HOST_TAG not in context.run.tags:
            context.instance.add_run_tags(context.run.run_id, {HOST_TAG: this_host()})

    @classmethod
    def from_environment(cls) -> "PipelineResource":
        """Return what the environment alone says."""
        return cls.model_validate({})

    def store(self) -> Store:
        """Return the dataset's store."""
        return Store(data_url(self.data))

    def seen(self, *, again: bool = False) -> Store:
        """Return the store with its folder ``dataset`` as this run saw it last; ``again``: as it is now."""
        if self._seen is None:
            return self.store().mirrored(("dataset",))
        found = self._seen.store
        if found is None or again:
            found = self._seen.store = self.store().mirrored(("dataset",))
        return found

    def catalog(self) -> Catalog:
        """Return the catalog as this run saw it last."""
        if self._seen is None:
            return Catalog(self.store())
        found = self._seen.catalog
        if found is None:
            found = self._seen.catalog = Catalog(self.store(), is_steady=True)
        return found

    def look_again(self) -> None:
        """Have the run see what has become of catalog and dataset since; its settings stay."""
        if self._seen is not None:
            self._seen.store = self._seen.catalog = None

    def resolved(self) -> Resolved:
        """Return the settings that hold, in a run to its end, and who said so; raises ``SettingsError``."""
        if self._seen is None:
            return self._resolve(self.store())
        found = self._seen.resolved
        if found is None:
            found = self._seen.resolved = self._resolve(self.seen())
        return found

    def schedule(self) -> str:
        """Return when the sources are polled, of which a dataset says nothing; raises ``SettingsError``."""
        return self._resolve(None).settings.dataset.poll_cron

    def _resolve(self, dataset: Store | None) -> Resolved:
        file = Path(self.settings_file) if self.settings_file else None
        said = [Layer("the launchpad", self.named_profile, file, given(self.overrides)), environment()]
        if not any(layer.profile for layer in said):
            listed = listed_sources(self.sources, required=False)
            said += [Layer(str(listed.file), listed.profile)] if listed else []
        return resolve(*said, dataset=dataset)

    @property
    def named_profile(self) -> str | None:
        """The name of the profile, where one was given."""
        return self.profile.value if isinstance(self.profile, Profile) else self.profile

    def settings(self) -> Settings:
        """Return the settings of all stages; raises ``SettingsError``."""
        return self.resolved().settings

    def listed(self) -> SourceList:
        """Return the sources as they are listed now; raises ``SettingsError``."""
        return read_entries(sources_text(self.sources))

    def asked(self) -> Selection:
        """Return which videos the dataset takes in: those that the sources name, made with these settings."""
        return Selection(listed_sources(self.sources, required=False), self.settings())

    def is_in_blocks(self) -> bool:
        """Tell whether the catalog holds so many videos that their partitions are blocks."""
        return len(self.catalog()) > self.settings().dataset.partitions_max

    def missing(self, among: AbstractSet[str] | None = None) -> Iterator[str]:
        """Yield the videos that are named, not built, due and worth trying, in the order that the settings want.

        among: of these alone; by default of all.

        They are judged by the rules that their sources have now. No file is asked for of a video that is known to need
        nothing, nor of one of which nothing was ever made.
        """
        store, asked, settings = self.seen(), self.asked(), self.settings()
        catalog = self.catalog()
        if asked.listed is not None:
            bring_rules(catalog, asked.listed)
        ids = asked.named(catalog)
        named = None if ids is None else set(ids.to_pylist())
        known = settled(store, settings.dataset.filters, asked, settings.dataset.give_up_after)
        for found in due(catalog, settings.of(video).web, settings.dataset.order):
            if found.video_id in known.nothing or not all(_is_in(found.video_id, ids) for ids in (named, among)):
                continue
            if found.video_id not in known.seen or is_missing(store.video(found.video_id).as_it_is(), settings):
                yield found.video_id

    def run_config(self) -> dict[str, Any]:
        """Return the run configuration that gives another run this same resource, and the same profile."""
        own, resolved = {name: value for name, value in given(self).items() if value}, self.resolved()
        named = {} if resolved.follows_dataset else {"profile": resolved.settings.profile}
        return {"resources": {"pipeline": {"config": own | named}}}


class LockedVideo(dg.ConfigurableResource[Workbench | None]):
    """The video of a run's partition, held against every other process until the run ends."""

    pipeline: dg.ResourceDependency[PipelineResource]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Workbench | None]:
        """Give what the stages work with, as soon as no other process holds the video; None once the run is over."""
        if context.run is None or PARTITION_TAG not in context.run.tags:
            raise dg.DagsterInvariantViolationError("choose a video: these assets are made one partition at a time")
        if _is_over(context):  # 'dagster job execute' opens what a run was given once more, to look at its outputs
            yield None
            return
        store, settings = self.pipeline.store(), self.pipeline.settings()
        held = store.video(context.run.tags[PARTITION_TAG])
        lines = Lines(held.video_id)
        progress = both(lines, events_of(context.instance, context.run)) if context.instance else lines
        workbench = Workbench(held, self.pipeline.catalog(), settings, progress)
        with ends_when_terminated(context.instance, context.run), ExitStack() as until_done:
            if settings.dataset.engine == "local":  # a cluster counts its workers itself
                _wait_for_place(held, settings.dataset.parallel_videos, until_done)
            _wait_for(held, until_done)
            if not is_built(held, settings):
                with suppress(PipelineError):  # which the stage that needs the weights says, of this video
                    fetch_weights(settings, settings.dataset.weight_mirrors)
            until_done.enter_context(limited_memory(int(settings.dataset.memory_share * machine_bytes())))
            yield workbench
            if is_built(held, settings):
                finish_video(workbench, keep_source=settings.dataset.keep_videos)


def _is_in(video_id: str, ids: AbstractSet[str] | None) -> bool:
    """Tell whether an id is one of some; None stands for all."""
    return ids is None or video_id in ids


def _is_over(context: dg.InitResourceContext) -> bool:
    """Tell whether a run has ended, of which Dagster asks for no stage any more."""
    if context.instance is None or context.run is None:
        return False
    run = context.instance.get_run_by_id(context.run.run_id)
    return run is not None and run.is_finished


def is_missing(video: VideoStore, settings: Settings) -> bool:
    """Tell whether a video is not built and worth trying; of one that cannot be read at the moment it is not known.

    What a newer release has made, on another machine, is left to it.
    """
    wanted = final_fingerprints(video.video_id, settings)
    with suppress(NotReadableNow):
        return (
            finished_fingerprint(video) not in wanted
            and worth_trying(last_failure(video), wanted[0], settings.dataset.give_up_after)
            and by_newer_code(video) is None
        )
    return False


def _wait_for_place(video: VideoStore, parallel_videos: int, held: ExitStack) -> None:
    """Take one of this machine's places for videos, of which builds and the daemon's runs have as many together."""
    places = Places(video.files.scratch / "places" / this_host(), parallel_videos)
    waits = f"{video.video_id:<16} waits until fewer than {parallel_videos} videos are worked on"
    held.enter_context(places.hold(waits=lambda: echo(waits)))


def _wait_for(video: VideoStore, held: ExitStack) -> None:
    while True:
        try:
            held.enter_context(video.locked(SECONDS_BETWEEN_LINES))
        except VideoLocked as error:
            echo(f"{video.video_id:<16} {error}")
        else:
            return
