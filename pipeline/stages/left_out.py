"""What all stages left out of a video: with their results, or with the failure where nothing was left."""

from collections.abc import Iterator

from pipeline.contract.records import LeftOut
from pipeline.stages.chain import made_by
from pipeline.stages.failures import Failure, last_failure
from pipeline.stages.registry import stages
from pipeline.store.provenance import Provenance
from pipeline.store.video import VideoStore


def left_out_by_stages(video: VideoStore) -> Iterator[LeftOut]:
    """Yield what the stages left out of a video, in the order of the stages.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    failure = last_failure(video)
    for name in stages():
        yield from _latest(made_by(video, name), failure if failure and failure.stage == name else None)


def _latest(made: Provenance | None, failure: Failure | None) -> tuple[LeftOut, ...]:
    """Return what a stage left out when it ran last: an earlier result stands when the stage fails."""
    if failure and failure.left_out and (made is None or failure.when >= made.created):
        return failure.left_out
    return made.left_out if made else ()
