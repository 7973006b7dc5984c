"""The split: a house, or the channel that shows it, is on one side, whatever is added."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset.split import group_of, placed, split_of
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.store.store import Store

URL = "https://www.youtube.com/watch?v=abcdefghijk"


@pytest.mark.parametrize(
    ("origin", "listed_by", "uploader", "group"),
    [
        ("tour://7", "", "pipeline.tours", "tour-7"),
        (URL, "channel https://a", "House Tours", "uploader house tours"),
        (URL, "search homes", " HOUSE  tours ", "uploader house tours"),
        (URL, "channel https://a", "", "listing channel https://a"),
        (URL, "", "  ", "id"),
        ("/films/my house/a.mp4", "", "", "folder /films/my house"),
    ],
)
def test_a_video_goes_with_its_uploader_else_its_listing_or_folder_else_alone(
    origin: str, listed_by: str, uploader: str, group: str
):
    video_id = "tour-7" if origin.startswith("tour") else "id"
    assert group_of(video_id, origin, listed_by, uploader) == group


def test_every_rendered_tour_is_a_house_of_its_own():
    assert len({group_of(f"tour-{n}", f"tour://{n}", "", "pipeline.tours") for n in range(50)}) == 50


def test_videos_are_placed_in_the_order_they_are_asked_for(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.add(read_sources("tour://1 tour://2"))
    found = placed(catalog, pa.array(["tour-2", "nobody", "tour-1"]))
    assert found["origin"].to_pylist() == ["tour://2", None, "tour://1"]


def test_split_share_is_kept_over_many_groups():
    # Binomial with n = 4000, p = 0.1: four standard deviations are 0.019.
    share = sum(split_of(f"group-{n}", 0.1) == "validation" for n in range(4000)) / 4000
    assert abs(share - 0.1) < 0.019


@settings(max_examples=40)
@given(st.text("abc-_019", min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_validation_share_only_adds_groups(group: str, first: float, second: float):
    low, high = sorted((first, second))
    if split_of(group, low) == "validation":
        assert split_of(group, high) == "validation"
