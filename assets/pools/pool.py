"""Places for videos, each with a worker that is hired when one is needed and replaced when it is gone or worn."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Protocol

from assets.pools.base import Order, Outcome, VideoBuild, Worker, WorkerDied, WorkerLost
from pipeline.contract.errors import PipelineError
from pipeline.contract.progress import Progress, silent

GRACE_S = 20.0
"""Seconds that a build has to end by itself once it is told to."""
LOOK_S = 1.0


def nothing_wrong() -> None:
    """Find nothing wrong."""


class Clerk(Protocol):
    """Knows what is to be done for a video, and keeps the records of its runs."""

    def choose(self, waiting: deque[str]) -> str:
        """Take the video to build next out of a line that is not empty."""
        ...

    def order(self, video_id: str) -> Order | None:
        """Return the run that is to be made; None where there is nothing to do."""
        ...

    def cancel(self, video_id: str) -> bool:
        """Have the run of a video end; return whether there is one that has not."""
        ...

    def close(self, video_id: str, started: float, detail: str, *, is_blamed: bool) -> None:
        """Close the run that ``started`` (seconds since 1970), if it is open; note for the video how it ended."""
        ...

    def ended(self, video_id: str) -> VideoBuild:
        """Return how the build of a video ended."""
        ...


class WorkerPool:
    """Builds several videos at once. A worker builds ``videos_per_worker`` of them, one after the other.

    A video of which there is nothing to do costs no worker. Nothing is given to a worker before it is ready: on a
    cluster, one may wait for room as long as others work.

    size: asked every second how many may be built at once; where it says more than before, there are more from then on.
    check: called every second; where it raises a ``PipelineError`` no worker can be reached, and none is waited for.
    """

    def __init__(
        self,
        clerk: Clerk,
        hire: Callable[[], Worker],
        size: Callable[[], int],
        videos_per_worker: int,
        progress: Progress = silent,
        check: Callable[[], None] = nothing_wrong,
    ) -> None:
        self._clerk, self._hire, self._size, self._progress, self._check = clerk, hire, size, progress, check
        self._at_work: dict[str, float] = {}
        self._videos_per_worker = videos_per_worker
        self._waiting = _Waiting(clerk.choose)
        self._ended: SimpleQueue[VideoBuild | Exception] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._stopped_at: float | None = None

    def build(self, videos: Iterable[str]) -> Iterator[VideoBuild]:
        """Yield how every build ended, as they end; reports every second how many have."""
        count = self._waiting.add(videos)
        for done in range(count):
            yield self._next(done, count)
        self._progress("videos", count, count)
        for thread in self._threads:  # of which the workers leave
            thread.join()

    def stop(self) -> None:
        """End what is still being built; what has not ended ``GRACE_S`` seconds later is killed."""
        self._stopped_at = self._stopped_at or time.monotonic()
        for thread in self._threads:
            thread.join()

    def _next(self, done: int, count: int) -> VideoBuild:
        while True:
            self._see_that_workers_are_there()
            self._have_places(min(self._size(), count))
            self._progress("videos", done, count)
            try:
                ended = self._ended.get(timeout=LOOK_S)
            except Empty:
                continue
            if isinstance(ended, Exception):
                raise ended
            return ended

    def _see_that_workers_are_there(self) -> None:
        try:
            self._check()
        except PipelineError as error:
            self._threads = []  # which may wait for an answer for ever
            for video_id, started in list(self._at_work.items()):
                self._clerk.close(video_id, started, str(error), is_blamed=False)
            raise

    def _have_places(self, wanted: int) -> None:
        while len(self._threads) < wanted and self._stopped_at is None:
            thread = threading.Thread(target=self._serve, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        """Build videos in one place until none is waiting."""
        place = _Place(self._videos_per_worker)
        try:
            while self._stopped_at is None and (video_id := self._waiting.take(place.worker is not None)) is not None:
                if self._is_done(video_id, place):
                    self._ended.put(self._clerk.ended(video_id))
        except Exception as error:  # noqa: BLE001 - whoever waits for the builds raises it
            self._ended.put(error)
        finally:
            place.clear()

    def _is_done(self, video_id: str, place: "_Place") -> bool:
        """Build a video, again where its worker was lost; return False where another place builds it by now."""
        while self._stopped_at is None and (order := self._clerk.order(video_id)) is not None:
            started = self._at_work[video_id] = time.time()
            try:
                worker = self._worker_for(video_id, place)
                if worker is None:
                    return False
                detail, is_lost = self._make(video_id, order, worker, place), False
            except WorkerDied as death:
                place.worker = None
                detail, is_lost = str(death), isinstance(death, WorkerLost)
            self._at_work.pop(video_id, None)
            self._clerk.close(video_id, started, detail, is_blamed=self._stopped_at is None)
            if not is_lost:
                break
        return True

    def _worker_for(self, video_id: str, place: "_Place") -> Worker | None:
        """Return the worker of a place, hired for a video; None where another place has taken it meanwhile."""
        if place.worker is None:
            self._waiting.hold(video_id)
            try:
                place.worker = self._ready_worker(video_id)
            except WorkerDied:
                if self._waiting.let_go(video_id):
                    raise
                return None
            if not self._waiting.let_go(video_id):
                return None
        return place.worker

    def _ready_worker(self, video_id: str) -> Worker | None:
        worker = self._hire()
        while not worker.ready(LOOK_S):
            if self._stopped_at is not None or not self._waiting.is_held(video_id):
                worker.kill()
                return None
        return worker

    def _make(self, video_id: str, order: Order, worker: Worker, place: "_Place") -> str:
        """Have a run made; return why it could not say itself how it ended. Raises ``WorkerDied``."""
        worker.begin(order)
        while (answer := worker.answer(LOOK_S)) is None:
            if self._stopped_at is None:
                continue
            is_told = self._clerk.cancel(video_id)
            if not is_told or time.monotonic() - self._stopped_at > GRACE_S:
                worker.kill()
                raise WorkerDied("its build was stopped")
        place.has_made_one(answer)
        return answer.error or "its run ended before it was done"


class _Place:
    """Where one video at a time is built, by a worker that counts how many."""

    def __init__(self, videos_per_worker: int) -> None:
        self._most, self._made = videos_per_worker, 0
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker | None:
        """Who works here."""
        return self._worker

    @worker.setter
    def worker(self, worker: Worker | None) -> None:
        self._worker, self._made = worker, 0

    def has_made_one(self, answer: Outcome) -> None:
        """Count a run, after which the worker may have to go."""
        self._made += 1
        if answer.worn or self._made >= self._most:
            self.clear()

    def clear(self) -> None:
        """Let the worker go."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.leave()


class _Waiting:
    """Videos that nobody builds yet.

    A place whose worker is not ready holds one, from where a place that has a worker takes it.
    """

    def __init__(self, choose: Callable[[deque[str]], str]) -> None:
        self._choose = choose
        self._videos: deque[str] = deque()
        self._held: set[str] = set()
        self._turn = threading.Lock()

    def add(self, videos: Iterable[str]) -> int:
        """Add videos; return how many wait."""
        self._videos.extend(videos)
        return len(self._videos)

    def take(self, has_worker: bool) -> str | None:
        """Take the next video; one that is held only for a worker that is ready."""
        with self._turn:
            if self._videos:
                return self._choose(self._videos)
            return self._held.pop() if has_worker and self._held else None

    def hold(self, video_id: str) -> None:
        """Hold a video until a worker is ready."""
        with self._turn:
            self._held.add(video_id)

    def is_held(self, video_id: str) -> bool:
        """Tell whether nobody else has taken a video that was held."""
        return video_id in self._held

    def let_go(self, video_id: str) -> bool:
        """Take a video that was held; return whether nobody else had."""
        with self._turn:
            was_held = video_id in self._held
            self._held.discard(video_id)
            return was_held
