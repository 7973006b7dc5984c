"""Stage ``clips``: what belongs together, and which frames of it are looked at."""

from collections import Counter
from collections.abc import Sequence

from pipeline.contract.errors import NoClips
from pipeline.contract.records import LeftOut
from pipeline.stages.base import Resources, StageResult, Workbench, imported, stage
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.store.groups import CLIPS, SOURCE_VIDEO
from pipeline.store.outputs import TableDraft, TableOutput


@stage(
    code_version="7",
    settings=ClipsSettings,
    inputs=("video",),
    output=TableOutput(CLIPS),
    preview=imported("pipeline.stages.clips.preview:contact_sheet"),
    resources=Resources(memory_gb=1),
)
def clips(workbench: Workbench, settings: ClipsSettings, draft: TableDraft) -> StageResult:
    """Cut at shot changes and choose frames; one row a clip in ``clips.parquet``."""
    from pipeline.stages.clips.find import find_clips

    video_id = workbench.video.video_id
    row = workbench.catalog.rows([video_id]).get(video_id)
    segments = row.segments if row else ()
    with workbench.video.local_file(SOURCE_VIDEO) as path:
        found, left_out, lost = find_clips(
            path, settings, lambda share: workbench.progress("clips", share, 1), segments
        )
    if not found:
        message = f"{video_id} has no shot that makes a clip: {_reasons(left_out)}"
        raise NoClips(message, left_out)
    draft.table = clips_table(found)
    counts = {"clips": len(found), "frames": sum(len(clip.frame_index) for clip in found)}
    notes = (f"damaged packets skipped: {lost}",) if lost else ()
    return StageResult("pyscenedetect", counts, tuple(left_out), notes)


def _reasons(left_out: Sequence[LeftOut]) -> str:
    """Say why shots were left out, the most frequent reason first, each with an example."""
    counted = Counter(item.code for item in left_out).most_common()
    example = {item.code: item.detail for item in left_out}
    return "; ".join(f"{count} {code} ({example[code]})" for code, count in counted) or "it holds no shot"
