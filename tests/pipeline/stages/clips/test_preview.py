from PIL import Image

from pipeline.pictures.clips import KEPT, REJECTED
from pipeline.stages.clips.preview import contact_sheet
from pipeline.store.outputs import TableOutput
from pipeline.store.video import VideoStore


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(colour) for _, colour in picture.convert("RGB").getcolors(1 << 24) or ()}


def test_clips_are_framed_as_kept_and_what_was_left_out_is_written_below(stored_room: VideoStore):
    sheet = contact_sheet(stored_room)
    assert {KEPT, REJECTED} <= colours(sheet), "two clips, and the words on a shot too short to be one"


def test_where_nothing_was_left_out_nothing_is_red(own_room: VideoStore):
    before, table = contact_sheet(own_room), own_room.read_table("clips.parquet")
    with TableOutput("clips.parquet").draft(own_room) as draft:
        draft.table = table
        draft.attributes.update((TableOutput("clips.parquet").noted(own_room) or {}) | {"left_out": []})
    after = contact_sheet(own_room)
    assert REJECTED not in colours(after)
    assert KEPT in colours(after)
    assert after.height < before.height


def test_a_table_that_says_nothing_of_itself_is_drawn_all_the_same(own_room: VideoStore):
    table = own_room.read_table("clips.parquet")
    own_room.write_table("clips.parquet", table.replace_schema_metadata(None))
    assert KEPT in colours(contact_sheet(own_room))
