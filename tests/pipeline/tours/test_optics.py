from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.atlas import LEVELS, Atlas
from pipeline.tours.camera import intrinsics_of, pose
from pipeline.tours.materials import Material, SurfaceKind
from pipeline.tours.mesh import ATLAS_WIDTH, build_mesh
from pipeline.tours.optics import GLOSS_REFLECTS, PANE_REFLECTS, PANE_TINT, SILVER, reflected
from pipeline.tours.painter import SKY_SIZE, Painter
from pipeline.tours.raycast import RayCaster
from pipeline.tours.surfaces import Thing, Vector, rectangle, thing
from pipeline.tours.timeline import Timeline, TourShot
from pipeline.tours.tour import Tour

from .shapes import GREY, bare_house, standing

INTRINSICS = intrinsics_of(60)
AHEAD = pose(np.zeros(3), 0.0, 0.0, 0.0)
"""Looks along +x from the origin."""


def square(x: float, y: float, half: float, material: Material, facing: float = -1) -> Thing:
    """A square across the x axis, whose normal is along x, ``facing`` it or away."""
    side = half * facing
    corner: Vector = (x, y - side, -half)
    return thing(SemanticClass.WALL, ((rectangle(corner, (0, 2 * side, 0), (0, 0, 2 * half)),), material))


def painter_of(*things: Thing) -> Painter:
    """Things whose textures are grey levels: the first one's is 40, the next one's 80, and so on."""
    mesh = build_mesh(things)
    finest = np.zeros((mesh.atlas_height, ATLAS_WIDTH, 3), np.uint8)
    for i, patch in enumerate(mesh.patches):
        top, left, height, width = patch.place
        finest[top - 8 : top + height + 8, left - 8 : left + width + 8] = 40 * (i + 1)
    levels = [finest[:: 2**k, :: 2**k] for k in range(LEVELS)]
    return Painter(
        mesh, RayCaster(mesh), Atlas(tuple(np.ascontiguousarray(level) for level in levels)), INTRINSICS, sky()
    )


def sky() -> np.ndarray:
    return np.zeros((SKY_SIZE, SKY_SIZE), np.float32)


def of_surface(surface: SurfaceKind) -> Material:
    return replace(GREY, surface=surface)


def test_reflection_turns_the_part_along_the_normal_round():
    rng = np.random.default_rng(0)
    directions, normals = rng.normal(size=(2, 50, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    turned = reflected(directions, normals)
    along = (directions * normals).sum(axis=1)
    np.testing.assert_allclose((turned * normals).sum(axis=1), -along, atol=1e-5)
    np.testing.assert_allclose(np.cross(turned, normals), np.cross(directions, normals), atol=1e-5)


def test_a_mirror_pixel_shows_what_the_camera_behind_the_mirror_would_see():
    """The mirror is at x = 2: the camera's image stands at x = 4 and looks back along -x, left and right swapped."""
    behind = [square(-3.0, y, 0.5, GREY, facing=1) for y in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    mirrored = painter_of(*behind, square(2.0, 0.0, 5.0, of_surface(SurfaceKind.MIRROR))).view(AHEAD)
    image = pose(np.array([4.0, 0.0, 0.0]), np.pi, 0.0, 0.0)
    direct = painter_of(*behind).view(image)[:, ::-1]
    hit = direct.std(axis=2) == 0  # grey squares; the sky is blue
    assert hit.mean() > 0.1
    assert len(np.unique(direct[hit].round())) >= 3
    error = np.abs(mirrored[hit] - SILVER * direct[hit])
    assert (error < 1.5).mean() > 0.99  # but for pixels on edges


def test_a_pane_shows_what_is_behind_it_and_a_little_of_what_is_before():
    ahead, behind = square(5.0, 0.0, 9.0, GREY), square(-5.0, 0.0, 9.0, GREY, facing=1)
    view = painter_of(ahead, behind, square(2.0, 0.0, 5.0, of_surface(SurfaceKind.GLASS))).view(AHEAD)
    expected = (1 - PANE_REFLECTS) * PANE_TINT * 40 + PANE_REFLECTS * 80
    np.testing.assert_allclose(view[240, 320], expected, atol=0.5)


def test_gloss_reflects_more_the_flatter_it_is_looked_at():
    floor = thing(
        SemanticClass.FLOOR, ((rectangle((0, -9, -1), (60, 0, 0), (0, 18, 0)),), of_surface(SurfaceKind.GLOSSY))
    )
    view = painter_of(floor, square(59.0, 0.0, 40.0, GREY)).view(AHEAD)
    column = view[260:470, 320, 0]
    down = 229.5 / INTRINSICS[0, 0]  # of the last row, per unit ahead
    share = GLOSS_REFLECTS + (1 - GLOSS_REFLECTS) * (1 - down / np.hypot(1, down)) ** 5
    assert column[-1] == pytest.approx((1 - share) * 40 + share * 80, abs=0.7)
    assert (np.diff(column) < 0.3).all(), "brighter, like the wall, towards the horizon"
    assert column[0] > column[-1] + 10


def test_two_mirrors_face_to_face_end_after_some_bounces():
    facing = [
        square(2.0, 0.0, 5.0, of_surface(SurfaceKind.MIRROR)),
        square(-2.0, 0.0, 5.0, of_surface(SurfaceKind.MIRROR), 1),
    ]
    assert np.isfinite(painter_of(*facing).view(AHEAD)).all()


@pytest.mark.parametrize("surface", [SurfaceKind.GLASS, SurfaceKind.MIRROR])
def test_truth_is_of_the_pane_and_a_mask_says_where(surface: SurfaceKind):
    pane = square(2.0, 1.5, 0.4, of_surface(surface)).moved(pose_up(1.25))
    timeline = Timeline((TourShot(0, "indoor", 0, 4),), ())
    base = Tour.from_seed(5)
    tour = replace(base, house=bare_house(pane), timeline=timeline, walks=(standing(0.5, 1.5, 0.0),))
    truth = tour.truth(0)
    mask = truth.glass if surface == SurfaceKind.GLASS else truth.mirror
    assert mask[240, 320]
    assert mask.sum() == pytest.approx((0.8 / 1.5 * truth.intrinsics[0, 0]) ** 2, rel=0.02)
    np.testing.assert_allclose(truth.depth[mask], 1.5, atol=1e-4)
    assert not truth.person.any()
    assert ((truth.surfaces > 0) == mask).all()


def pose_up(height: float) -> np.ndarray:
    transform = np.eye(4)
    transform[2, 3] = height
    return transform
