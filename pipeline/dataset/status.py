"""How far every video is: which results stand, which settings or code have made old, what failed and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.contract.progress import Progress, silent
from pipeline.stages.base import SettingsTree
from pipeline.stages.chain import agrees, content_of, made_by, made_from, upstream
from pipeline.stages.failures import Failure, last_failure
from pipeline.stages.registry import stages
from pipeline.stages.run import fingerprints_now
from pipeline.store.provenance import Provenance
from pipeline.store.store import Store
from pipeline.store.video import VideoStore


class StageState(StrEnum):
    """Whether a stored result is what a build would make now."""

    BUILT = "built"
    OLD = "old"
    MISSING = "missing"


@dataclass(frozen=True)
class StageStatus:
    """The result of one stage. seconds: that it took to make; 0 where there is none. cost: where its maker noted it."""

    name: str
    state: StageState
    seconds: float
    cost: Mapping[str, float] | None = None


@dataclass(frozen=True)
class VideoStatus:
    """One video: its stages in order, its last failure unless it is built since, and the bytes of all its files.

    clips: that the last stage kept which counts them.
    """

    video_id: str
    stages: tuple[StageStatus, ...]
    failure: Failure | None
    size: int
    clips: int = 0

    @property
    def seconds(self) -> float:
        """Seconds that all stored results took to make."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def next_stage(self) -> StageStatus | None:
        """The first stage that a build would run; None where the video is built."""
        return next((stage for stage in self.stages if stage.state is not StageState.BUILT), None)

    @property
    def kind(self) -> str:
        """One word for summaries: built, failed, old or unfinished."""
        if self.next_stage is None:
            return "built"
        if self.failure is not None:
            return "failed"
        return "old" if self.next_stage.state is StageState.OLD else "unfinished"

    @property
    def said(self) -> str:
        """What there is to say of it, for people."""
        if self.next_stage is None:
            return "built"
        if self.failure is not None:
            tries = f" ({self.failure.tries} tries)" if self.failure.tries > 1 else ""
            detail = self.failure.detail.removeprefix(f"{self.video_id}: ")
            return f"failed in {self.failure.stage}: {self.failure.code}: {detail}{tries}"
        if self.next_stage.state is StageState.OLD:
            return f"old from {self.next_stage.name} on: other settings, code or input than now"
        return f"to go on with {self.next_stage.name}"


def statuses(
    store: Store, video_ids: Sequence[str], settings: SettingsTree, *, sizes: bool = True, progress: Progress = silent
) -> Iterator[VideoStatus]:
    """Yield how far videos are under these settings; sizes: whether to count bytes, which looks at every file."""
    for done, video_id in enumerate(video_ids):
        progress("status", done, len(video_ids), video_id)
        yield status_of(store.video(video_id), settings, sizes=sizes)


def status_of(video: VideoStore, settings: SettingsTree, *, sizes: bool = True) -> VideoStatus:
    """Return how far one video is under these settings."""
    now, content = fingerprints_now(video.video_id, settings), content_of(video)
    made: dict[str, Provenance] = {}
    found = []
    for name in stages():
        result = made_by(video, name)
        if result is None:
            found.append(StageStatus(name, StageState.MISSING, 0.0))
            continue
        before_is_there = all(given in made for given in stages()[name].inputs)
        stands = (
            before_is_there
            and result.fingerprint in now[name]
            and made_from(result, upstream(video.video_id, name, made), content)
            and agrees(video, name, result)
        )
        made[name] = result
        state = StageState.BUILT if stands else StageState.OLD
        cost = result.cost.model_dump() if result.cost else None
        found.append(StageStatus(name, state, result.seconds, cost))
    clips = [int(result.counts["clips"]) for result in made.values() if "clips" in result.counts]
    size = video.files.size(*video.folder) if sizes else 0
    return VideoStatus(video.video_id, tuple(found), last_failure(video), size, clips[-1] if clips else 0)
