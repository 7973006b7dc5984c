import numpy as np

from pipeline.pictures.clips import KEPT, LONGEST_LIST, REJECTED, ClipRow, clip_sheet
from pipeline.pictures.layout import GAP

from .colours import colours_of


def test_contact_sheet_frames_kept_clips_green_and_rejected_red():
    pictures = np.full((2, 480, 640, 3), 128, np.uint8)
    sheet = clip_sheet([ClipRow("clip 0", kept=True, pictures=pictures)])
    assert KEPT in colours_of(sheet)
    assert REJECTED not in colours_of(sheet)
    sheet = clip_sheet([ClipRow("clip 1: Outdoor", kept=False, pictures=pictures)], ["2: TooShort: 0.4 s"])
    assert REJECTED in colours_of(sheet)


def test_a_contact_sheet_of_nothing_can_be_drawn():
    assert clip_sheet([]).width > 0


def test_every_clip_has_a_row_of_thumbnails_in_the_proportions_of_its_pictures():
    pictures = np.full((3, 480, 640, 3), 128, np.uint8)
    rows = [ClipRow(f"clip {i}", kept=True, pictures=pictures) for i in range(2)]
    sheet = clip_sheet(rows, height=60)
    assert sheet.width == 3 * 80 + 2 * GAP
    assert sheet.height == 2 * (19 + GAP + 60) + GAP  # captions of 13 pixels are 19 high


def test_frames_are_three_pixels_wide_and_leave_the_picture_as_it_is():
    sheet = np.asarray(
        clip_sheet([ClipRow("c", kept=False, pictures=np.full((1, 480, 640, 3), 128, np.uint8))], height=60)
    )
    thumbnail = sheet[19 + GAP :, :80]
    assert (thumbnail[:3] == REJECTED).all()
    assert (thumbnail[3:-3, 3:-3] == 128).all()


def test_a_clip_without_pictures_keeps_its_caption():
    sheet = clip_sheet([ClipRow("clip 7: no frame", kept=False, pictures=np.empty((0, 480, 640, 3), np.uint8))])
    assert REJECTED in colours_of(sheet)


def test_of_many_left_out_shots_some_are_named_and_the_others_counted():
    few, many = clip_sheet([], ["shot"] * LONGEST_LIST), clip_sheet([], ["shot"] * (LONGEST_LIST + 50))
    assert many.height == few.height + 18 + GAP, "one more line of 12 pixels"
