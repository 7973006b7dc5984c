"""The picture of the stage ``indoor_clips``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.clips import clip_sheet
from pipeline.pictures.stored import rows_of_clips, those_chosen
from pipeline.stages.indoor_clips.rows import indoor_scores
from pipeline.store.groups import FRAMES
from pipeline.store.outputs import GroupOutput, provenance
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.video import VideoStore


def contact_sheet(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return frames of all clips, kept or not, with P(indoor) and the kinds of scene where they are known."""
    kept = {clip_id: rows.start for clip_id, rows in clip_rows(video)}
    scores, made = video.read(FRAMES, "indoor_score"), provenance(video, GroupOutput(FRAMES))
    verdicts = {item.clip_id or 0: (False, item.detail) for item in (made.left_out if made else ())}
    verdicts |= {clip_id: (True, f"P(indoor) {scores[row]:.2f}") for clip_id, row in kept.items()}
    clips = stored_clips(video)
    for clip, score in zip(clips, indoor_scores(video), strict=False):
        named = "".join(f"; {category.name} {category.probability:.2f}" for category in score.categories)
        verdicts[clip.clip_id] = (verdicts[clip.clip_id][0], verdicts[clip.clip_id][1] + named)
    return clip_sheet(rows_of_clips(video, those_chosen(video, clips, chosen), verdicts))
