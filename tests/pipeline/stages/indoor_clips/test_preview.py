import numpy as np
from PIL import Image

from pipeline.contract.records import IndoorScore
from pipeline.pictures.clips import KEPT, REJECTED
from pipeline.stages.indoor_clips.preview import contact_sheet
from pipeline.stages.indoor_clips.rows import write_indoor_scores
from pipeline.store.video import VideoStore


def rows_of(picture: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """The rows of a picture that hold a colour."""
    return np.flatnonzero((np.asarray(picture.convert("RGB")) == colour).all(axis=2).any(axis=1))


def test_kept_clips_are_framed_green_above_those_that_were_rejected(stored_room: VideoStore):
    sheet = contact_sheet(stored_room)
    kept, rejected = rows_of(sheet, KEPT), rows_of(sheet, REJECTED)
    assert kept.max() < rejected.min(), "clip 0 is kept, clip 1 is not, and they stand in their order"


def test_kinds_of_room_stand_in_the_caption_where_they_are_known(own_room: VideoStore):
    named = np.asarray(contact_sheet(own_room).convert("L"))
    write_indoor_scores(own_room, [IndoorScore(0.9), IndoorScore(0.1)], "0")
    bare = np.asarray(contact_sheet(own_room).convert("L"))
    caption = slice(0, 18)
    assert (named[caption] < 160).sum() > 1.3 * (bare[caption] < 160).sum()


def test_a_table_without_scores_is_drawn_with_the_verdicts_alone(own_room: VideoStore):
    table = own_room.read_table("clips.parquet")
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"scored_by"}
    own_room.write_table("clips.parquet", table.replace_schema_metadata(metadata))
    assert len(rows_of(contact_sheet(own_room), KEPT))
