import numpy as np

from pipeline.pictures.clips import KEPT, REJECTED, ClipRow, clip_sheet

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
