"""A page of what was made of a video: every stage that was run, with its facts, and nothing that a browser runs."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from pipeline.contract.errors import StageMissing
from pipeline.contract.records import LeftOut
from pipeline.stages.page import page_of, picture_of
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

MOST_BYTES = 12_000


def sections_of(html: str) -> dict[str, str]:
    """The sections of a page by their headings."""
    return dict(re.findall(r"<section><h2>(.*?)</h2>(.*?)</section>", html, re.DOTALL))


@pytest.fixture(scope="module")
def html(stored_room: VideoStore) -> str:
    return page_of(stored_room, MOST_BYTES)


def test_a_page_has_a_section_for_every_stage_in_their_order(html: str):
    assert list(sections_of(html)) == list(stages())
    assert "<title>room</title>" in html


def test_pictures_are_inside_the_page_and_as_small_as_asked(html: str):
    pictures = [base64.b64decode(text) for text in re.findall(r"base64,([A-Za-z0-9+/=]+)", html)]
    assert len(pictures) == len(stages())
    assert max(map(len, pictures)) <= MOST_BYTES
    assert all(Image.open(io.BytesIO(picture)).format == "JPEG" for picture in pictures)
    assert "http://" not in html
    assert "https://" not in html


def test_a_stage_that_was_not_run_has_no_section(own_room: VideoStore):
    own_room.set_aside("scene.zarr/occupancy")
    own_room.set_aside("scene.zarr/semantics")
    assert list(sections_of(page_of(own_room, MOST_BYTES))) == list(stages())[:-2]


def test_a_section_says_how_it_was_made_and_what_was_left_out(html: str):
    sections = sections_of(html)
    assert "<li>analytic, 0.0 s, 20" in sections["scene"]
    assert "<li>left out clip 2: TooShort: shot of 0.4 s</li>" in sections["clips"]
    assert "left out clip 1: NotIndoor: P(indoor) 0.10 &lt; 0.50" in sections["indoor_clips"]


def test_what_strangers_wrote_is_shown_and_not_run(own_room: VideoStore):
    attributes = own_room.attributes("scene")
    trap = LeftOut("scene", 3, "Odd", "<script>alert(1)</script>")
    attributes |= {"notes": ["<img src=x onerror=alert(2)>"], "left_out": [vars(trap)], "counts": {"clips": 2}}
    notes = Path(own_room.files.path("videos", "room", "scene.zarr", "scene", "zarr.json"))
    notes.write_text(
        json.dumps(json.loads(notes.read_text(encoding="utf-8")) | {"attributes": attributes}), encoding="utf-8"
    )
    section = sections_of(page_of(own_room, MOST_BYTES))["scene"]
    assert "<li>clips 2</li>" in section
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in section
    assert "<script" not in section
    assert section.count("<img") == 1


def test_a_video_of_which_nothing_was_made_has_no_page(tmp_path: Path):
    with pytest.raises(StageMissing, match="nothing: nothing has been made of this video yet"):
        page_of(Store(tmp_path).video("nothing"), MOST_BYTES)


def test_there_is_no_picture_of_a_stage_that_nobody_declared(stored_room: VideoStore):
    with pytest.raises(KeyError):
        picture_of(stored_room, "smells", MOST_BYTES)
