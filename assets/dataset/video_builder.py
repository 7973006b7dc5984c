"""Runs ``process_video`` for single videos in subprocesses, some at a time, and says how each ended."""

import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeout
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import dagster as dg
from typer import echo

from assets.dataset.deaths import note_death
from assets.dataset.free_first import take_free
from assets.resources import PARTITION_TAG, PipelineResource, is_missing
from assets.stopped import ends_when_terminated
from pipeline.contract.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.failures import last_failure
from pipeline.stages.run import is_built
from pipeline.store.video import VideoStore

BUILT_BY = "youtube_occ/built_by"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration that keeps stack traces of broken videos off the screen; the UI has them."""

_DAGSTER = (sys.executable, "-W", "ignore", "-m", "dagster", "job", "execute")
PROCESS_VIDEO = (*_DAGSTER, "-m", "assets", "-d", str(Path(__file__).parents[2]), "-j", "process_video")
"""Command that runs all stages of one video, found from any working directory."""


@dataclass(frozen=True)
class VideoBuild:
    """How the build of one video ended; ``detail`` says why it failed."""

    video_id: str
    built: bool
    detail: str


GRACE_S = 20.0
"""Seconds that a build has to end by itself once it is told to."""


class VideoBuilder:
    """Builds videos in subprocesses, ``dataset.parallel_videos`` at once, on behalf of the run ``run_id``."""

    def __init__(self, pipeline: PipelineResource, instance: dg.DagsterInstance, run_id: str) -> None:
        self.pipeline = pipeline
        self.instance = instance
        self.run_id = run_id
        self._pool: ThreadPoolExecutor | None = None
        self._builds: dict[str, Future[VideoBuild]] = {}
        self._waiting: deque[str] = deque()
        self._turn = Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped_at: float | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.pipeline.settings()

    def start(self, video_id: str) -> None:
        """Build a video as soon as there is room."""
        self._pool = self._pool or ThreadPoolExecutor(self.settings.dataset.parallel_videos)
        self._builds[video_id] = Future()
        self._waiting.append(video_id)
        self._pool.submit(self._build_next)

    def wait(self, video_id: str, progress: Progress = silent) -> VideoBuild:
        """Wait for a video that was started; return how its build ended. Reports how many of all have ended."""
        build = self._builds[video_id]
        while True:
            progress("videos", sum(other.done() for other in self._builds.values()), len(self._builds))
            with suppress(FuturesTimeout):
                return build.result(timeout=1)

    def stop(self) -> None:
        """End what is still being built; what has not ended ``GRACE_S`` seconds later is killed."""
        self._stopped_at = time.monotonic()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        for build in self._builds.values():
            build.cancel()
        for video_id, child in list(self._children.items()):
            self._end(video_id, child)

    def _build_next(self) -> None:
        """Build a video that waits, one that no other machine or run works on if there is any."""
        store = self.pipeline.store()
        with self._turn:
            video_id = take_free(self._waiting, lambda waiting: store.video(waiting).is_held())
        build = self._builds[video_id]
        if build.set_running_or_notify_cancel():
            try:
                build.set_result(self._build(store.video(video_id)))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the build raises it
                build.set_exception(error)

    def _build(self, video: VideoStore) -> VideoBuild:
        seen = video.as_it_is()
        if is_missing(seen, self.settings):  # still: another run may have built it since
            started = time.time()
            exit_code = self._run_process_video(video.video_id)
            self.pipeline.look_again()
            seen = video.as_it_is()
            self._record_death(seen, started, exit_code)
        if is_built(seen, self.settings):
            return VideoBuild(video.video_id, built=True, detail="")
        detail = self._why_not(seen)
        echo(f"{video.video_id:<16} left out: {detail}")
        return VideoBuild(video.video_id, built=False, detail=detail)

    def _why_not(self, video: VideoStore) -> str:
        if any(run.status is dg.DagsterRunStatus.CANCELED for run in self._runs(video.video_id)):
            return "its run was terminated; the next build goes on from there"
        failure = last_failure(video)
        return f"{failure.stage}: {failure.code}: {failure.detail}" if failure else "see the log of its run"

    def _run_process_video(self, video_id: str) -> int:
        tags = json.dumps({PARTITION_TAG: video_id, BUILT_BY: self.run_id})
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as config:
            json.dump({**self.pipeline.run_config(), **QUIET}, config)
            config.flush()
            with subprocess.Popen([*PROCESS_VIDEO, "--tags", tags, "-c", config.name]) as child:  # noqa: S603 - no shell, and ids are of safe characters
                self._children[video_id] = child
                if self._stopped_at is not None:  # by another thread, which did not see this child yet
                    child.terminate()
                exit_code = self._ended(child)
                self._children.pop(video_id)
        return exit_code

    def _end(self, video_id: str, child: "subprocess.Popen[bytes]") -> None:
        """Let the run of a child be terminated, which it sees for itself; one that has no run yet is told."""
        runs = [run for run in self._runs(video_id) if not run.is_finished]
        for run in runs:
            self.instance.report_run_canceling(run)
        if not runs:
            child.terminate()

    def _runs(self, video_id: str) -> Sequence[dg.DagsterRun]:
        """Return the last run of a video on behalf of this one, if there is any."""
        tags = {PARTITION_TAG: video_id, BUILT_BY: self.run_id}
        return self.instance.get_runs(dg.RunsFilter(tags=tags), limit=1)

    def _ended(self, child: "subprocess.Popen[bytes]") -> int:
        """Wait for a child; a process that a shell put into the background ignores the signals that would end it."""
        while True:
            try:
                return child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                if self._stopped_at is not None and time.monotonic() - self._stopped_at > GRACE_S:
                    child.kill()

    def _record_death(self, video: VideoStore, started: float, exit_code: int) -> None:
        """Note an end that no stage has noted, and close the run that a dead process left open."""
        detail = f"its process ended with code {exit_code} before it was done"
        runs = self._runs(video.video_id)
        if self._stopped_at is None and not any(run.status is dg.DagsterRunStatus.CANCELED for run in runs):
            note_death(video, self.settings, started, detail)
        for run in runs:
            if run.status is dg.DagsterRunStatus.CANCELING:
                self.instance.report_run_canceled(run)
            elif not run.is_finished:
                self.instance.report_run_failed(run, detail)


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
