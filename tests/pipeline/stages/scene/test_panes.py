import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.records import MetricScene
from pipeline.geometry.guesses import with_guesses
from pipeline.geometry.voxels import voxelize
from pipeline.stages.scene.metric import to_metric
from pipeline.stages.scene.settings import PaneSettings, SceneSettings
from tests.pipeline.box_room import Box, Room, film, looking
from tests.pipeline.disguise import disguise

SMALL, SHAPE = SceneSettings(samples=10_000), (90, 120)
WALL, HEIGHT, OUTSIDE = 2.9, 2.8, 9.0
WALK = [looking((-0.6 + 0.15 * i, -0.9 + 0.05 * i, 1.5), (0.3, WALL, 1.4)) for i in range(8)]
Rectangle = tuple[float, float, float, float]
"""x and z of the low and of the high corner."""
WINDOW: Rectangle = (-0.4, 1.0, 0.8, 2.0)


def room(hole: Rectangle, depth: float = OUTSIDE - WALL, boxes: tuple[Box, ...] = ()) -> Room:
    """A room whose wall at y = 2.9 has a hole, closed again ``depth`` behind it."""
    left, low, right, high = hole
    back = WALL + min(depth, 0.1)
    parts = (
        Box((-1.6, WALL, 0), (left, back, HEIGHT)),
        Box((right, WALL, 0), (2.2, back, HEIGHT)),
        Box((left, WALL, 0), (right, back, low)),
        Box((left, WALL, high), (right, back, HEIGHT)),
    )
    return Room(Box((-1.6, -1.2, 0), (2.2, WALL + depth, HEIGHT)), (*parts, *boxes))


def filmed(built: Room, walk: list[NDArray[np.float64]] = WALK, settings: SceneSettings = SMALL, **blemishes: float):
    true = film(built, walk, SHAPE)[0]
    return true, to_metric(disguise(true, 3, **blemishes)[0], settings)


def through(true: MetricScene, frame: int) -> NDArray[np.bool_]:
    """Pixels that see what is behind the wall."""
    return pointmap(true.depth[frame], true.intrinsics[frame], true.camera_to_world[frame])[..., 1] > WALL + 0.5


def wall_depth(true: MetricScene, frame: int) -> NDArray[np.float64]:
    centre = true.camera_to_world[frame, 1, 3].astype(float)
    lifted = pointmap(true.depth[frame], true.intrinsics[frame], true.camera_to_world[frame])[..., 1] - centre
    return true.depth[frame] * (WALL - centre) / np.where(np.abs(lifted) < 1e-6, 1e-6, lifted)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_window_gets_the_depth_of_its_wall(noise: float):
    true, scene = filmed(room(WINDOW), noise=noise)
    assert scene.guessed is not None
    for frame in range(len(WALK)):
        seen = through(true, frame)
        assert (scene.guessed[frame] & seen).sum() > 0.9 * seen.sum()
        lifted = pointmap(true.depth[frame], true.intrinsics[frame], true.camera_to_world[frame])
        wall = scene.guessed[frame] & (lifted[..., 1] < WALL + 0.01)
        assert wall.sum() <= 2 * noise * seen.sum(), "without noise at most the window's reveal"
        filled, wanted = scene.depth[frame][scene.guessed[frame]], wall_depth(true, frame)[scene.guessed[frame]]
        assert np.allclose(filled, wanted, rtol=0.03), "metres: the room is as high as settings say"


def test_a_mirror_shows_a_repeated_room_which_is_taken_back():
    table = Box((-0.4, 1.4, 0.0), (0.6, 1.9, 0.7))
    mirrored = Box((-0.4, 2 * WALL - 1.9, 0.0), (0.6, 2 * WALL - 1.4, 0.7))
    true, scene = filmed(room((-0.6, 1.0, 0.9, 2.1), WALL + 1.2, (table, mirrored)))
    assert scene.guessed is not None
    seen = np.stack([through(true, frame) for frame in range(len(WALK))])
    assert (scene.guessed & seen).sum() > 0.9 * seen.sum()
    assert not scene.guessed[~seen].sum() > 0.03 * seen.sum()


def test_a_window_of_two_casements_is_filled_and_its_bar_stays():
    bar = Box((0.18, WALL, 1.0), (0.24, WALL + 0.05, 2.0))
    true, scene = filmed(room(WINDOW, boxes=(bar,)))
    assert scene.guessed is not None
    seen = np.stack([through(true, frame) for frame in range(len(WALK))])
    assert (scene.guessed & seen).sum() > 0.85 * seen.sum()


def test_what_stands_before_a_window_stays_as_it_is():
    pillar = Box((0.1, 1.6, 0.0), (0.25, 1.75, HEIGHT))
    true, scene = filmed(room(WINDOW, boxes=(pillar,)))
    assert scene.guessed is not None
    seen = np.stack([through(true, frame) for frame in range(len(WALK))])
    assert (scene.guessed & seen).sum() > 0.85 * seen.sum()
    near = true.depth < 0.8 * np.stack([wall_depth(true, frame) for frame in range(len(WALK))])
    assert not (scene.guessed & near & ~seen).any()


MIRROR: Rectangle = (-0.6, 0.8, 0.9, 2.1)
BOARD = Box((0.8, 1.9, 0.0), (1.2, 1.95, HEIGHT))
IN_MIRROR = Box((0.8, 2 * WALL - 1.95, 0.0), (1.2, 2 * WALL - 1.9, HEIGHT))
CUPBOARDS = (
    Box((-1.2, WALL - 0.25, 0.0), (1.0, WALL, 0.88)),
    Box((-1.6, WALL - 0.4, 0.0), (-0.6, WALL, HEIGHT)),
)
"""What hides the wall below a mirror and left of it."""


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_mirror_that_furniture_surrounds_is_known_by_the_room_in_it(*, mirrored: bool):
    """Another room behind the same hole is left open: its things would stand in the air of this one."""
    behind = (IN_MIRROR,) if mirrored else (Box((-1.6, WALL + 0.9, 0.0), (2.2, WALL + 1.0, HEIGHT)),)
    true, scene = filmed(room(MIRROR, WALL + 1.2, (BOARD, *CUPBOARDS, *behind)))
    assert scene.guessed is not None
    seen = np.stack([through(true, frame) for frame in range(len(WALK))])
    if mirrored:
        assert (scene.guessed & seen).sum() > 0.8 * seen.sum()
        assert (scene.guessed & ~seen).sum() < 0.03 * seen.sum()
    else:
        assert not scene.guessed.any()


def test_a_window_that_shows_the_sky_is_filled_below_it():
    true, _ = film(room(WINDOW), WALK, SHAPE)
    for frame, depth in enumerate(true.depth):
        high = pointmap(depth, true.intrinsics[frame], true.camera_to_world[frame])[..., 2] > 1.7
        depth[high & through(true, frame)] = 0
    seen = np.stack([through(true, frame) for frame in range(len(WALK))])
    scene = to_metric(disguise(true, 3)[0], SMALL)
    assert scene.guessed is not None
    assert (scene.guessed & seen).sum() > 0.85 * seen.sum()


SHELF = (
    Box((-0.5, 1.5, 0.3), (-0.46, 1.8, 2.2)),
    Box((0.7, 1.5, 0.3), (0.74, 1.8, 2.2)),
    *(Box((-0.5, 1.5, z), (0.74, 1.8, z + 0.04)) for z in (0.3, 0.9, 1.5, 2.16)),
)


@pytest.mark.parametrize(
    "built",
    [
        pytest.param(Room(Box((-1.6, -1.2, 0), (2.2, WALL, HEIGHT))), id="plain"),
        pytest.param(room((-0.3, 0.0, 0.6, 2.0)), id="doorway"),
        pytest.param(room(WINDOW, 0.35), id="niche"),
        pytest.param(room((-0.3, 1.0, 0.6, HEIGHT)), id="up to the ceiling"),
        pytest.param(room((-1.6, 1.0, 0.6, 2.0)), id="the wall ends"),
        pytest.param(Room(Box((-1.6, -1.2, 0), (2.2, 4.5, HEIGHT)), SHELF), id="open shelf"),
        pytest.param(
            Room(Box((-1.6, -1.2, 0), (2.2, 4.5, HEIGHT)), (Box((0, 1.6, 0), (0.3, 1.9, HEIGHT)),)), id="pillar"
        ),
    ],
)
def test_what_is_no_pane_stays_open(built: Room):
    scene = filmed(built)[1]
    assert scene.guessed is not None
    assert not scene.guessed.any()


def test_an_opening_through_which_the_camera_goes_stays_open():
    walk = [looking((0.2, 0.6 * i - 0.9, 1.5), (0.25, 8.9, 1.45)) for i in range(9)]
    assert walk[-1][1, 3] > WALL
    scene = filmed(room(WINDOW), walk)[1]
    assert scene.guessed is not None
    assert not scene.guessed.any()
    stays = filmed(room(WINDOW), walk[:4])[1]
    assert stays.guessed is not None
    assert stays.guessed.any(), "without the way through it, it is a window"


def test_it_can_be_switched_off():
    scene = filmed(room(WINDOW), settings=SMALL.model_copy(update={"panes": PaneSettings(fill=False)}))[1]
    assert scene.guessed is not None
    assert not scene.guessed.any()
    assert scene.depth.max() > 6


def test_guesses_reach_the_grid():
    true, labels = film(room(WINDOW), WALK, SHAPE)
    scene = filmed(room(WINDOW))[1]
    grids = with_guesses(scene, voxelize(scene, labels))
    assert grids.guessed is not None
    occupied = ~np.isin(grids.labels, (0, 255))
    assert grids.guessed.any(axis=(1, 2, 3)).all()
    assert not (grids.guessed & ~occupied).any()
    assert grids.guessed.sum() < 0.2 * occupied.sum()
    assert with_guesses(true, grids) is grids, "nothing is guessed where depth is known"
