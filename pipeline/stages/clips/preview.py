"""The picture of the stage ``clips``."""

from PIL import Image

from pipeline.pictures.chosen import ANY, Chosen
from pipeline.pictures.clips import clip_sheet
from pipeline.pictures.stored import rows_of_clips, rows_of_left_out, those_chosen
from pipeline.store.groups import CLIPS
from pipeline.store.outputs import TableOutput, provenance
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore


def contact_sheet(video: VideoStore, chosen: Chosen = ANY) -> Image.Image:
    """Return frames of the clips with their motion and, where no clip is chosen, of what was left out with the reason.

    What an earlier release left out is told in words.
    """
    clips, made = stored_clips(video), provenance(video, TableOutput(CLIPS))
    verdicts = {clip.clip_id: (True, f"motion {clip.motion:.3f}") for clip in clips}
    left_out = made.left_out if made else ()
    unseen = [f"{item.clip_id}: {item.code}: {item.detail}" for item in left_out if not item.time_s]
    rows = rows_of_clips(video, those_chosen(video, clips, chosen), verdicts)
    return clip_sheet([*rows, *rows_of_left_out(video, left_out if chosen.clip_id is None else ())], unseen)
