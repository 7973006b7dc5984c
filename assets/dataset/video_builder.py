"""Has ``process_video`` run for single videos by a pool of workers, and says how each ended."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import dagster as dg
from typer import echo

from assets.dataset.deaths import note_death
from assets.dataset.free_first import take_free
from assets.pools.base import Order, Pool, VideoBuild, Worker
from assets.pools.local import LocalWorker
from assets.pools.pool import WorkerPool, nothing_wrong
from assets.pools.ray import RayWorker, connected
from assets.resources import PARTITION_TAG, PipelineResource, is_missing
from assets.stopped import BUILT_BY, ends_when_terminated
from pipeline.contract.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.failures import last_failure
from pipeline.stages.run import is_built
from pipeline.store.video import VideoStore

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration that keeps stack traces of broken videos off the screen; the UI has them."""


class VideoBuilder:
    """Builds videos on behalf of the run ``run_id``.

    Dagster's pages show a run for every video, but of a catalog of very many they do not.
    """

    def __init__(self, pipeline: PipelineResource, instance: dg.DagsterInstance, run_id: str) -> None:
        self.pipeline = pipeline
        self.instance = instance
        self.run_id = run_id
        self._pool: Pool | None = None
        self._connection = ExitStack()
        self._is_in_blocks = False

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.pipeline.settings()

    def build(self, video_ids: Iterable[str], progress: Progress = silent) -> Iterator[VideoBuild]:
        """Yield how the build of every video ended, as they end; reports how many have.

        Raises:
            MissingExtra: a Ray cluster is asked for, and Ray is not installed.
            SettingsError: that cluster cannot be reached, or none of its machines has what a worker is to have.
            ClusterGone: it answers no more.
        """
        wanted, waiting = self.settings.dataset, list(video_ids)
        self._is_in_blocks = self.pipeline.is_in_blocks()
        hire: Callable[[], Worker] = LocalWorker
        check: Callable[[], None] = nothing_wrong
        size: Callable[[], int] = lambda: wanted.parallel_videos  # noqa: E731 - what a cluster has is asked again
        if waiting and wanted.engine == "ray":
            head = self._connection.enter_context(connected(wanted.ray))
            hire, check, size = partial(RayWorker, wanted.ray), head.check, head.workers
        self._pool = WorkerPool(self, hire, size, wanted.videos_per_worker, progress, check)
        yield from self._pool.build(waiting)

    def stop(self) -> None:
        """End what is still being built, and let go of the cluster."""
        with self._connection:
            if self._pool is not None:
                self._pool.stop()

    def choose(self, waiting: deque[str]) -> str:
        """Take the next video that no other machine or run works on, if there is any, out of a line."""
        return take_free(waiting, lambda video_id: self._video(video_id).is_held())

    def order(self, video_id: str) -> Order | None:
        """Return the run that a video wants; None where another run has built it since, or there is no hope."""
        if not is_missing(self._video(video_id).as_it_is(), self.settings):
            return None
        return Order({**self.pipeline.run_config(), **QUIET}, self._tags(video_id), is_shown=not self._is_in_blocks)

    def cancel(self, video_id: str) -> bool:
        """Let the run of a video be terminated, which it sees for itself; return whether it has one.

        It may be told more than once: what it says when it starts would otherwise hide that it is to end.
        """
        running = [run for run in self._runs(video_id) if not run.is_finished]
        for run in running:
            if run.status is not dg.DagsterRunStatus.CANCELING:
                self.instance.report_run_canceling(run)
        return bool(running)

    def close(self, video_id: str, started: float, detail: str, *, is_blamed: bool) -> None:
        """Note an end that no stage has noted, and close the run that a dead process left open."""
        self.pipeline.look_again()
        runs = self._runs(video_id)
        if is_blamed and not any(run.status is dg.DagsterRunStatus.CANCELED for run in runs):
            note_death(self._video(video_id).as_it_is(), self.settings, started, detail)
        for run in runs:
            if run.status is dg.DagsterRunStatus.CANCELING:
                self.instance.report_run_canceled(run)
            elif not run.is_finished:
                self.instance.report_run_failed(run, detail)

    def ended(self, video_id: str) -> VideoBuild:
        """Return how the build of a video ended, and say so on the screen where it is left out."""
        video = self._video(video_id).as_it_is()
        if is_built(video, self.settings):
            return VideoBuild(video_id, built=True, detail="")
        detail = self._why_not(video)
        echo(f"{video_id:<16} left out: {detail}")
        return VideoBuild(video_id, built=False, detail=detail)

    def _why_not(self, video: VideoStore) -> str:
        if any(run.status is dg.DagsterRunStatus.CANCELED for run in self._runs(video.video_id)):
            return "its run was terminated; the next build goes on from there"
        failure = last_failure(video)
        return f"{failure.stage}: {failure.code}: {failure.detail}" if failure else "see the log of its run"

    def _video(self, video_id: str) -> VideoStore:
        return self.pipeline.store().video(video_id)

    def _tags(self, video_id: str) -> dict[str, str]:
        return {PARTITION_TAG: video_id, BUILT_BY: self.run_id}

    def _runs(self, video_id: str) -> Sequence[dg.DagsterRun]:
        """Return the last run of a video on behalf of this one, if there is any."""
        return self.instance.get_runs(dg.RunsFilter(tags=self._tags(video_id)), limit=1)


class VideoBuilderResource(dg.ConfigurableResource[VideoBuilder]):
    """Gives a run its ``VideoBuilder`` and ends what it still builds when the run ends early."""

    pipeline: dg.ResourceDependency[PipelineResource]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[VideoBuilder]:
        """Serve one run."""
        if context.instance is None or context.run is None:
            raise dg.DagsterInvariantViolationError("videos are built by a run of a Dagster instance")
        builder = VideoBuilder(self.pipeline, context.instance, context.run.run_id)
        try:
            with ends_when_terminated(context.instance, context.run):
                yield builder
        finally:
            builder.stop()
