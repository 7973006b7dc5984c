"""Frames of a stored clip's source between those that are kept."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipeline.media import read_frames
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.reconstruction.between import SourceFrames, spread_between
from pipeline.store.groups import CLIPS, SOURCE_VIDEO
from pipeline.store.rows import stored_clips
from pipeline.store.video import VideoStore


@pytest.mark.parametrize(
    ("ends", "wanted", "frames"),
    [((10, 20), 1, [15]), ((10, 20), 3, [12, 15, 17]), ((10, 12), 3, [11]), ((10, 11), 2, []), ((3, 9), 0, [])],
)
def test_frames_are_spread_evenly_and_stay_between(ends: tuple[int, int], wanted: int, frames: list[int]):
    assert spread_between(*ends, wanted) == frames


@pytest.fixture
def thinned(own_room: VideoStore) -> VideoStore:
    """The stored room with every fourth frame of its clip kept."""
    clip = stored_clips(own_room)[0]
    kept = {name: getattr(clip, name)[::4] for name in ("frame_index", "time_s", "sharpness")}
    own_room.write_table(CLIPS, clips_table([replace(clip, **kept)]))
    return own_room


def test_frames_come_out_of_the_source(thinned: VideoStore):
    clip = stored_clips(thinned)[0]
    own = clip.frame_index.tolist()
    extra = SourceFrames(thinned, clip.clip_id)([2] * (len(own) - 1))
    assert [len(pictures) for pictures in extra] == [2] * (len(own) - 1)
    frames = [frame for ends in pairwise(own) for frame in spread_between(*ends, 2)]
    with thinned.local_file(SOURCE_VIDEO) as path:
        np.testing.assert_array_equal(np.concatenate(extra), read_frames(path, np.array(frames)))


def test_where_the_source_is_gone_there_are_none(own_room: VideoStore):
    clip = stored_clips(own_room)[0]
    wanted = [1] * (len(clip.frame_index) - 1)
    assert SourceFrames(own_room, 999)(wanted) == []
    own_room.remove(SOURCE_VIDEO)
    assert SourceFrames(own_room, clip.clip_id)(wanted) == []
