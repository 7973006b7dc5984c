"""Pictures of what the stages of a video made, one by one or as a page for a browser."""

from pipeline.contract.errors import StageMissing
from pipeline.pictures.encode import jpeg
from pipeline.pictures.page import Section, page
from pipeline.stages.chain import made_by
from pipeline.stages.registry import stages
from pipeline.store.provenance import Provenance
from pipeline.store.video import VideoStore


def picture_of(video: VideoStore, stage: str, max_bytes: int) -> bytes:
    """Return a JPEG of at most ``max_bytes`` that shows what a stage made.

    Raises:
        StageMissing: the stage has not been run.
        KeyError: there is no such stage.
    """
    return jpeg(stages()[stage].preview(video), max_bytes)


def page_of(video: VideoStore, max_bytes: int) -> str:
    """Return an HTML page that needs nothing else, with a picture of at most ``max_bytes`` of every stage that was run.

    Raises:
        StageMissing: no stage of the video has been run.
    """
    made = {name: found for name in stages() if (found := made_by(video, name)) is not None}
    if not made:
        raise StageMissing(f"{video.video_id}: nothing has been made of this video yet")
    sections = [Section(name, _facts(found), picture_of(video, name, max_bytes)) for name, found in made.items()]
    return page(video.video_id, sections)


def _facts(made: Provenance) -> list[str]:
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    lines = [f"{made.backend}, {made.seconds:.1f} s, {made.created}", counts]
    lines += [f"left out clip {item.clip_id}: {item.code}: {item.detail}" for item in made.left_out]
    return [*lines, *made.notes]
