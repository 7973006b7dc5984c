import numpy as np
import pytest

from pipeline.tours.apparent import apparent_view
from pipeline.tours.camera import Pinhole, intrinsics_of, pose
from pipeline.tours.materials import SurfaceKind

from .test_optics import of_surface, painter_of, square

AHEAD = Pinhole(intrinsics_of(60), pose(np.zeros(3), 0.0, 0.0, 0.0))


@pytest.mark.parametrize(("surface", "apparent"), [(SurfaceKind.MIRROR, 2.0 + 5.0), (SurfaceKind.GLASS, 9.0)])
def test_what_is_seen_in_a_mirror_or_through_a_pane_seems_to_be_behind_it(surface: SurfaceKind, apparent: float):
    """The pane is at 2 m, a wall at 9 m behind it, and one at 3 m behind the camera."""
    room = painter_of(
        square(2.0, 0.0, 0.5, of_surface(surface)),
        square(9.0, 0.0, 20.0, of_surface(SurfaceKind.PLAIN)),
        square(-3.0, 0.0, 20.0, of_surface(SurfaceKind.PLAIN), facing=1),
    )
    view = apparent_view(room.mesh, room.caster, AHEAD, (60, 80))
    pane = view.surfaces == surface
    assert 0.1 < pane.mean() < 0.5
    np.testing.assert_allclose(view.depth[pane], 2.0, atol=1e-4)
    np.testing.assert_allclose(view.apparent[pane], apparent, atol=0.01)
    np.testing.assert_allclose(view.apparent[~pane], 9.0, atol=1e-3)
    assert len(np.unique(view.instances[pane])) == 1


def test_sky_in_a_mirror_has_no_depth():
    room = painter_of(square(2.0, 0.0, 0.5, of_surface(SurfaceKind.MIRROR)))
    view = apparent_view(room.mesh, room.caster, AHEAD, (60, 80))
    assert not view.apparent.any()
    assert (view.depth > 0).any()
