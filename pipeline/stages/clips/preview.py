"""The picture of the stage ``clips``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.clips import clip_sheet
from pipeline.pictures.stored import rows_of_clips, those_chosen
from pipeline.store.groups import CLIPS
from pipeline.store.outputs import TableOutput, provenance
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore


def contact_sheet(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return frames of the clips with their motion, and in words what was left out."""
    clips, made = stored_clips(video), provenance(video, TableOutput(CLIPS))
    verdicts = {clip.clip_id: (True, f"motion {clip.motion:.3f}") for clip in clips}
    left_out = [f"{item.clip_id}: {item.code}: {item.detail}" for item in (made.left_out if made else ())]
    return clip_sheet(rows_of_clips(video, those_chosen(video, clips, chosen), verdicts), left_out)
