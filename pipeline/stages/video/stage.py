"""Stage ``video``: what is built is here first."""

from dataclasses import asdict

from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.atomic import disk_errors
from pipeline.store.outputs import SourceDraft, SourceOutput


@stage(
    code_version="1",
    settings=VideoSettings,
    inputs=(),
    output=SourceOutput(),
    preview=imported("pipeline.stages.video.preview:frames_of_source"),
    resources=Resources(memory_gb=0.5),
    published=imported("pipeline.stages.video.arrive:mark_fetched"),
    restore=imported("pipeline.stages.video.arrive:restore"),
)
def video(workbench: Workbench, settings: VideoSettings, draft: SourceDraft) -> StageResult:
    """Fetch the source into ``source.mp4``, verified and resumable, and note what is known of it in ``source.json``."""
    from pipeline.stages.video.arrive import arrive

    with disk_errors():
        source = arrive(workbench.catalog, workbench.video.video_id, draft.folder, settings, workbench.progress)
    draft.notes.update(asdict(source))
    counts = {"seconds_of_video": source.duration_s, "megabytes": source.size_bytes / 1e6}
    return StageResult(source.origin.partition(":")[0], counts)
