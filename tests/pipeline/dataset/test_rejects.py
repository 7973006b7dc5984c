"""Contact sheets of what was left out, from a built tour."""

from pathlib import Path

from pipeline.dataset.filters import filtered
from pipeline.dataset.index import build_dataset
from pipeline.dataset.rejects import SHOWN, Reject, reject_sheet, rejects
from pipeline.settings import FilterSettings
from pipeline.stages.base import Workbench
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from tests.pipeline.stored_room import store_room


def test_every_clip_has_its_scores(built_tour: Workbench):
    clips = stored_clips(built_tour.video)
    assert clips
    for clip in clips:
        assert clip.scores is not None
        assert 0 <= clip.scores.brightness <= 1


def test_filters_leave_clips_out_of_the_index_and_nothing_is_made_again(copied_tour: Workbench):
    store, settings = copied_tour.video.files, copied_tour.settings.dataset
    everything = build_dataset(store, settings)
    strict = settings.model_copy(update={"filters": FilterSettings(brightness_min=1.0)})
    filtered_summary = build_dataset(store, strict)
    assert (everything.videos, filtered_summary.videos, filtered_summary.frames) == (1, 0, 0)
    assert {entry.code for entry in filtered_summary.left_out if entry.stage == "dataset"} == {"TooDark"}
    assert build_dataset(store, settings).frames == everything.frames


def test_rejects_are_shown_by_reason(copied_tour: Workbench):
    store, filters = copied_tour.video.files, FilterSettings(brightness_min=1.0)
    found = rejects(store, filters)
    assert len(found["TooDark"]) == len(filtered(copied_tour.video, filters))
    assert reject_sheet(store, found["TooDark"]).height > 90
    unseen = [reject._replace(clip_id=10_000) for reject in found["TooDark"]]
    assert reject_sheet(store, unseen).height < 90


def test_every_stages_left_out_clips_are_found_with_why_the_most_frequent_reason_first(tmp_path: Path):
    store_room(tmp_path)
    store = Store(tmp_path)
    found = rejects(store, FilterSettings())
    assert [(code, [(r.video_id, r.clip_id, r.stage) for r in clips]) for code, clips in found.items()] == [
        ("TooShort", [("room", 2, "clips")]),
        ("NotIndoor", [("room", 1, "indoor_clips")]),
    ]
    sheet = reject_sheet(store, found["NotIndoor"])
    assert sheet.width == 4 * 120 + 3 * 8, "four thumbnails of 120 pixels, eight apart"


def test_a_sheet_of_many_shows_some_from_the_first_to_the_last(tmp_path: Path):
    store_room(tmp_path)
    many = [Reject("room", 0, "clips", "TooDark", f"number {i}") for i in range(100)]
    sheet = reject_sheet(Store(tmp_path), many)
    assert sheet.height == SHOWN * (19 + 8 + 90) + (SHOWN - 1) * 8


def test_what_cannot_be_shown_any_more_is_named(tmp_path: Path):
    video = store_room(tmp_path)
    gone = [Reject("room", 9, "clips", "TooShort", "0.4 s"), Reject("elsewhere", 0, "clips", "TooShort", "0.2 s")]
    assert reject_sheet(Store(tmp_path), gone).height == 2 * 18 + 8, "two lines of text"
    video.remove("source.mp4")
    assert reject_sheet(Store(tmp_path), [gone[0]._replace(clip_id=0)]).height == 18
