"""Remembers in ``failure.json`` why a video could not be built, and decides whether trying again makes sense.

An error that comes from the video itself (broken, no indoor clip) is the same tomorrow and is not tried again until
settings or code change; one that comes from the world (network, disk, a killed process, a missing package) is, a few
times.
"""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from models.errors import MissingExtra
from pipeline.contract.errors import (
    CorruptStore,
    CredentialsRefused,
    DeviceMissing,
    DiskFull,
    DownloadRefused,
    DownloadTransient,
    ExtractorTrouble,
    HostResting,
    LeaseLost,
    NothingLeft,
    NotReadableNow,
    NotYet,
    OutOfMemory,
    PipelineError,
    ProcessKilled,
    StorageFailed,
    WeightsAway,
    WeightsReplaced,
    WrongClock,
)
from pipeline.contract.records import LeftOut
from pipeline.stages.faults import told
from pipeline.store.changes import changes_of
from pipeline.store.groups import FAILURE
from pipeline.store.video import VideoStore

PROCESS_DIED = "ProcessDied"
_WORLD = {
    PROCESS_DIED,
    *(
        kind.__name__
        for kind in (
            DownloadTransient,
            DownloadRefused,
            ExtractorTrouble,
            HostResting,
            NotYet,
            DeviceMissing,
            DiskFull,
            CorruptStore,
            CredentialsRefused,
            LeaseLost,
            WrongClock,
            NotReadableNow,
            MissingExtra,
            OutOfMemory,
            ProcessKilled,
            StorageFailed,
            WeightsAway,
            WeightsReplaced,
        )
    ),
}

_NOT_TRIED = {kind.__name__ for kind in (HostResting, NotYet, WeightsAway, DeviceMissing)}
"""Ends of which no try is counted: a host that rests was not asked, a film that is to come has not failed, and weights
and devices are nothing of the video's."""


class Failure(BaseModel):
    """The last failure of a video: its stage, the error's class and text, and how often it failed so far.

    left_out: the clips that the stage left out, where none was left; empty in failures of earlier releases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    code: str
    detail: str
    wanted: str
    tries: int = Field(ge=1)
    when: str
    left_out: tuple[LeftOut, ...] = ()

    @property
    def may_pass(self) -> bool:
        """Tell whether the same video may succeed next time with nothing changed."""
        return self.code in _WORLD


def record_failure(video: VideoStore, stage: str, wanted: str, error: Exception) -> Failure:
    """Write down that ``stage`` ended with ``error``; ``wanted`` is the fingerprint the video was to reach."""
    code = error.code if isinstance(error, PipelineError) else type(error).__name__
    left_out = error.left_out if isinstance(error, NothingLeft) else ()
    return _record(video, stage, wanted, code, told(error), left_out)


def record_death(video: VideoStore, wanted: str, detail: str) -> Failure:
    """Write down that the process that built the video died without a word (crash, kill, out of memory)."""
    return _record(video, "process", wanted, PROCESS_DIED, detail)


def last_failure(video: VideoStore) -> Failure | None:
    """Return the video's last failure, or None where it has none or the note cannot be read."""
    try:
        return Failure.model_validate(video.read_json(FAILURE)) if video.exists(FAILURE) else None
    except (CorruptStore, ValueError):
        return None


def forget_failure(video: VideoStore) -> None:
    """Remove the note after a success."""
    video.remove(FAILURE)
    changes_of(video.files).note(video.video_id)


def worth_trying(failure: Failure | None, wanted: str, give_up_after: int) -> bool:
    """Tell whether a video with this last failure should be tried (again) to reach the fingerprint ``wanted``."""
    if failure is None or failure.wanted != wanted:
        return True
    return failure.may_pass and failure.tries < give_up_after


def _record(
    video: VideoStore, stage: str, wanted: str, code: str, detail: str, left_out: tuple[LeftOut, ...] = ()
) -> Failure:
    earlier = last_failure(video)
    tries = earlier.tries if earlier and earlier.wanted == wanted else 0
    tries = max(1, tries + (code not in _NOT_TRIED))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    failure = Failure(
        stage=stage, code=code, detail=detail[:2000], wanted=wanted, tries=tries, when=when, left_out=left_out
    )
    video.write_json(FAILURE, failure.model_dump())
    changes_of(video.files).note(video.video_id)
    return failure
