"""What is left out when a film is cut is shown: on the sheets of ``rejects``, on the dataset's page, on the preview."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.errors import NoClips
from pipeline.dataset.index import build_dataset
from pipeline.dataset.reject_links import SHEETS, reject_links
from pipeline.dataset.rejects import reject_sheet, rejects
from pipeline.pictures.chosen import Chosen
from pipeline.settings import DatasetSettings, FilterSettings
from pipeline.stages.clips.preview import contact_sheet
from pipeline.stages.failures import last_failure
from pipeline.store.outputs import TableOutput
from pipeline.store.store import Store
from tests.pipeline.cli.runs import output, run
from tests.pipeline.stages.clips.unwanted_films import FPS, UNWANTED, wanted
from tests.pipeline.videos import write_video

FOUR_THUMBNAILS = 4 * 120 + 3 * 8
"""Pixels; they are 120 wide and eight apart."""


def shows_the_film(sheet: Image.Image) -> bool:
    """Tell whether the lower 90 rows of a sheet are four pictures that are not of one colour."""
    pictures = np.asarray(sheet.convert("L"))[-90:, :FOUR_THUMBNAILS]
    return sheet.width >= FOUR_THUMBNAILS and all(
        pictures[10:-10, 128 * i + 10 : 128 * i + 110].std() > 5 for i in range(4)
    )


@pytest.mark.parametrize("code", UNWANTED)
def test_a_film_of_which_nothing_is_left_is_counted_and_shown_by_its_reason(tmp_path: Path, code: str):
    frames, fps = UNWANTED[code]
    film = write_video(tmp_path / "film.mp4", list(frames()), fps=fps)
    with pytest.raises(NoClips, match=code):
        run("process", film, "--until", "clips", "--data", tmp_path / "data")
    store = Store(tmp_path / "data")
    found = rejects(store, FilterSettings())
    assert {name: [reject.clip_id for reject in some] for name, some in found.items()} == {code: [0]}
    assert shows_the_film(reject_sheet(store, found[code]))


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a film of a shot that is kept, and of four that are not."""
    folder = tmp_path_factory.mktemp("joined")
    shots = [wanted(), *(UNWANTED[code][0]() for code in JOINED)]
    film = write_video(folder / "film.mp4", [frame for shot in shots for frame in shot], fps=FPS)
    output("process", film, "--until", "clips", "--data", folder / "data")
    return Store(folder / "data")


JOINED = ("SplitScreen", "TextOverlay", "MostlyBars", "TooShort")


def test_shots_left_out_beside_one_that_is_kept_are_shown_with_their_frames(joined: Store):
    found = rejects(joined, FilterSettings())
    assert set(found) == set(JOINED)
    for some in found.values():
        assert shows_the_film(reject_sheet(joined, some))


def test_the_page_of_the_dataset_shows_a_sheet_for_every_reason(joined: Store):
    summary = build_dataset(joined, DatasetSettings())
    assert Counter(entry.code for entry in summary.left_out) == Counter(JOINED)
    links = reject_links(joined, summary)
    assert links.count("<img") == len(JOINED)
    for name in joined.names(*SHEETS):
        assert shows_the_film(Image.open(joined.path(*SHEETS, name)))


def test_the_preview_has_a_row_for_each_of_them_but_where_one_clip_is_chosen(joined: Store):
    (video_id,) = joined.video_ids()
    rows = contact_sheet(joined.video(video_id)).height
    of_one = contact_sheet(joined.video(video_id), Chosen(clip_id=0)).height
    assert rows - of_one >= 4 * 90


def test_what_an_earlier_release_left_out_is_named_in_words(joined: Store):
    (video_id,) = joined.video_ids()
    video, output_of = joined.video(video_id), TableOutput("clips.parquet")
    noted, table = output_of.noted(video) or {}, video.read_table("clips.parquet")
    without = [{key: item[key] for key in ("stage", "clip_id", "code", "detail")} for item in noted["left_out"]]
    with output_of.draft(video) as draft:
        draft.table = table
        draft.attributes.update(noted | {"left_out": without})
    try:
        found = rejects(joined, FilterSettings())
        assert set(found) == set(JOINED)
        assert all(reject_sheet(joined, some).height < 90 for some in found.values())
        assert contact_sheet(video).height > 4 * 18
    finally:
        with output_of.draft(video) as draft:
            draft.table = table
            draft.attributes.update(noted)


def test_a_failure_of_an_earlier_release_says_nothing_of_clips(tmp_path: Path):
    film = write_video(tmp_path / "film.mp4", list(UNWANTED["TooShort"][0]()), fps=FPS)
    with pytest.raises(NoClips):
        run("process", film, "--until", "clips", "--data", tmp_path / "data")
    store = Store(tmp_path / "data")
    (video_id,) = store.video_ids()
    video = store.video(video_id)
    failure = video.read_json("failure.json")
    video.write_json("failure.json", {key: value for key, value in failure.items() if key != "left_out"})
    noted = last_failure(video)
    assert noted is not None
    assert (noted.code, noted.left_out) == ("NoClips", ())
    assert rejects(store, FilterSettings()) == {}
