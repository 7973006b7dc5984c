import json
import re
from dataclasses import replace

import numpy as np

from pipeline.contract.grid import GRID_SHAPE
from pipeline.pictures.viewer.clip_page import clip_page, content_hash, script_text
from pipeline.pictures.viewer.cloud import MOST_POINTS, Cloud
from pipeline.pictures.viewer.packing import unpacked

from .made_up import FRAMES, HOSTILE, made_up_view


def block(page: str, name: str) -> str:
    return page.partition(f'id="{name}">')[2].partition("</script>")[0]


def test_a_page_holds_the_arrays_of_its_view():
    view = made_up_view()
    page = clip_page(view)
    assert np.array_equal(unpacked(block(page, "b-grids")).reshape(FRAMES, *GRID_SHAPE), view.grids)
    assert np.array_equal(unpacked(block(page, "b-labels")).reshape(view.labels.shape), view.labels)
    content = json.loads(block(page, "content"))
    assert [frame["row"] for frame in content["frames"]] == view.rows.tolist()
    assert np.allclose(np.reshape(content["frames"][1]["camera"], (4, 4)).T, view.camera_to_world[1], atol=1e-4)
    assert [c["id"] for c in content["classes"]] == [*range(1, 13), 0, 255]
    assert not content["truth"]
    assert 'id="b-truth"' not in page
    assert 'id="b-truth"' in clip_page(replace(view, truth=view.grids))


def test_the_browser_may_run_the_page_s_script_and_nothing_else():
    page = clip_page(made_up_view(HOSTILE))
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; ")
    assert f"script-src '{content_hash(script_text())}';" in policy[0]
    assert "unsafe" not in policy[0]
    assert "<script>document.title" not in page
    assert page.count("<script>") == 1
    assert "{" + "title}" not in page


def test_a_title_that_looks_like_a_place_of_the_page_is_a_title():
    assert "<title>{script} {policy}</title>" in clip_page(made_up_view("{script} {policy}"))


def test_24_frames_with_truth_and_200_000_points_stay_under_5_mb():
    view, draw = made_up_view(), np.random.default_rng(5)
    again = np.arange(24) % FRAMES
    noise = draw.integers(0, 40, (24, 480, 640, 3)).astype(np.uint8)  # a filmed picture, never a smooth one
    walls = np.sort(draw.integers(0, 1500, (MOST_POINTS, 3)), axis=0).astype(np.uint16)
    walls[:, 1] = draw.integers(0, 4, MOST_POINTS)
    cloud = Cloud(
        np.zeros(3), walls, draw.integers(0, 256, (MOST_POINTS, 3)).astype(np.uint8), walls[:, 1].astype(np.uint8)
    )
    arrays = ("rows", "time_s", "labels", "intrinsics", "camera_to_world", "grids", "world_from_voxel")
    known = {name: getattr(view, name)[again] for name in arrays}
    page = clip_page(replace(view, **known, pictures=noise, cloud=cloud, truth=view.grids[again]))
    assert len(page) < 5_000_000
