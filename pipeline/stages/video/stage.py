"""Stage ``video``: what is built is here first."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.stages.base import Resources, StageResult, Workbench, stage
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.atomic import disk_errors
from pipeline.store.outputs import SourceDraft, SourceOutput
from pipeline.store.video import VideoStore

if TYPE_CHECKING:
    from PIL.Image import Image


def _preview(video: VideoStore) -> "Image":
    from pipeline.stages.video.preview import frames_of_source

    return frames_of_source(video)


def _restore(workbench: Workbench, settings: VideoSettings) -> None:
    from pipeline.stages.video.arrive import restore

    restore(workbench, settings)


def _published(workbench: Workbench) -> None:
    from pipeline.stages.video.arrive import mark_fetched

    mark_fetched(workbench)


@stage(
    code_version="1",
    settings=VideoSettings,
    inputs=(),
    output=SourceOutput(),
    preview=_preview,
    resources=Resources(memory_gb=0.5),
    published=_published,
    restore=_restore,
)
def video(workbench: Workbench, settings: VideoSettings, draft: SourceDraft) -> StageResult:
    """Fetch the source into ``source.mp4``, verified and resumable, and note what is known of it in ``source.json``."""
    from pipeline.stages.video.arrive import arrive

    with disk_errors():
        source = arrive(workbench.catalog, workbench.video.video_id, draft.folder, settings, workbench.progress)
    draft.notes.update(asdict(source))
    counts = {"seconds_of_video": source.duration_s, "megabytes": source.size_bytes / 1e6}
    return StageResult(source.origin.partition(":")[0], counts)
