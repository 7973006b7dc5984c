"""The ruler of windows and mirrors."""

import numpy as np

from pipeline.quality.panes import STRAY, PaneFigures, figures_of, row_of
from pipeline.stages.scene.settings import SceneSettings
from pipeline.tours.apparent import ApparentView
from pipeline.tours.materials import SurfaceKind
from tests.pipeline.box_room import INTRINSICS, Box
from tests.pipeline.stages.scene.test_panes import HEIGHT, SHAPE, WALK, WALL, room

WALL_ITSELF = Box((-1.6, WALL, 0), (2.2, WALL + 0.1, HEIGHT))


def test_figures_of_clips_add_up_to_a_row():
    good = PaneFigures(panes=2, found=1, pixels=1000, through=200, filled=100, right=90, behind=50, left=10, room=400)
    bad = PaneFigures(pixels=1000, filled=100, wrong=int(1000 * STRAY) + 1, room=400, lost=8)
    assert not good.false_alarm
    assert bad.false_alarm
    assert row_of("mirrors", [good, bad]) == "| mirrors | 2 | 1 of 2 | 1 | 45.0% | 45.0% | 80.0% | 1.0% |"
    assert row_of("plain", [PaneFigures()]) == "| plain | 1 | 0 of 0 | 0 |  |  |  |  |"


def test_a_mirror_that_is_found_gives_back_what_was_known_behind_it():
    mirror, table = (-0.6, 1.0, 0.9, 2.1), Box((-0.4, 1.4, 0.0), (0.6, 1.9, 0.7))
    in_mirror = Box((-0.4, 2 * WALL - 1.9, 0.0), (0.6, 2 * WALL - 1.4, 0.7))
    closed, opened = room((0, 0, 0, 0), boxes=(table, WALL_ITSELF)), room(mirror, WALL + 1.2, (table, in_mirror))
    views = []
    for pose in WALK:
        (depth, _), (apparent, _) = closed.view(pose, SHAPE), opened.view(pose, SHAPE)
        glass = apparent > depth + 0.15
        surfaces = np.where(glass, SurfaceKind.MIRROR, SurfaceKind.PLAIN).astype(np.uint8)
        views.append(ApparentView(depth, np.where(glass, apparent, depth), surfaces, glass.astype(np.uint16)))
    figures = figures_of(views, INTRINSICS, np.stack(WALK), np.random.default_rng(0), SceneSettings(samples=10_000))
    assert figures.found == figures.panes == 1
    assert not figures.false_alarm
    assert figures.right > 0.9 * figures.through
    assert figures.behind > 1000
    assert figures.left < 0.2 * figures.behind
    assert figures.lost < 0.02 * figures.room
