import numpy as np
import pytest
import torch

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import pose
from pipeline.tours.light import Lighting
from pipeline.tours.tour import Tour
from pipeline.tours.views import Cameras, LitHouse, RenderedViews, ViewRenderer, light_house
from pipeline.tours.views.renderer import RenderBackend
from tests.pipeline.tours.shapes import block

from .cameras import cameras_of


@pytest.fixture(scope="module")
def both(house: LitHouse, cameras: Cameras) -> tuple[RenderedViews, RenderedViews]:
    return ViewRenderer(house, backend="open3d").render(cameras), ViewRenderer(house, backend="torch").render(cameras)


def test_both_backends_see_the_same_things_indoors_and_outdoors(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    # Only pixels whose centre lies on an edge to the last bit may differ: 1 in 10,000.
    assert (cast.labels == drawn.labels).float().mean() > 0.9995
    assert (cast.instances == drawn.instances).float().mean() > 0.9995
    assert 255 in cast.labels
    assert len(cast.labels.unique()) > 5


def test_both_backends_see_the_same_depth_and_sky(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    assert ((cast.depth == 0) == (drawn.depth == 0)).float().mean() > 0.9995
    same = (cast.instances == drawn.instances) & (cast.depth > 0)
    relative = (cast.depth - drawn.depth).abs()[same] / cast.depth[same]
    assert (relative < 1e-4).float().mean() > 0.9995


def test_both_backends_paint_alike(both: tuple[RenderedViews, RenderedViews]):
    cast, drawn = both
    assert (cast.pictures.float() - drawn.pictures.float()).abs().mean() < 0.1


def test_views_hold_the_truth_that_the_tour_states(tour: Tour, house: LitHouse):
    shot = next(shot for shot in tour.shots if shot.kind == "indoor")
    truth = tour.truth(shot.start_frame)
    camera = tour._camera(shot, shot.start_frame)
    assert camera is not None
    view = ViewRenderer(house).render(cameras_of(tour, camera[None], tour.height, tour.width))
    assert np.array_equal(view.labels[0].numpy(), truth.labels)
    assert np.array_equal(view.instances[0].numpy(), truth.instances)
    assert np.allclose(view.depth[0].numpy(), truth.depth, rtol=1e-5)


@pytest.mark.parametrize("backend", ["open3d", "torch"])
def test_a_wall_straight_ahead_has_its_depth_its_label_and_its_instance(backend: RenderBackend):
    walls = (block((-9, -9, -9), (9, -8, 9), 4), block((2, -0.5, -0.5), (3, 0.5, 0.5), SemanticClass.SOFA))
    house = light_house(walls, (), np.random.default_rng(0), Lighting(rays=2, spacing=2.0), texel=0.2)
    intrinsics = torch.tensor([[[8.0, 0, 8], [0, 8.0, 6], [0, 0, 1]]])
    ahead = Cameras(intrinsics, torch.from_numpy(pose(np.zeros(3), 0.0, 0.0, 0.0))[None], 12, 16)
    view = ViewRenderer(house, backend=backend).render(ahead)
    # Half a metre two metres away is two of the picture's pixels at a focal length of eight.
    sofa = torch.zeros(12, 16, dtype=torch.bool)
    sofa[4:8, 6:10] = True
    assert torch.equal(view.labels[0] == SemanticClass.SOFA, sofa)
    assert torch.equal(view.instances[0] == 2, sofa)
    assert torch.allclose(view.depth[0][sofa], torch.tensor(2.0))
    sky = view.depth[0] == 0
    assert (view.labels[0][sky] == SemanticClass.UNKNOWN).all()
    assert (view.instances[0][sky] == 0).all()
    assert (view.pictures[0, 2][sky] > view.pictures[0, 0][sky]).all(), "the sky is blue"
    assert view.pictures.shape == (1, 3, 12, 16)
    assert view.pictures.dtype == torch.uint8
    assert len(view) == 1


def test_without_a_choice_a_cpu_casts_rays(house: LitHouse):
    assert ViewRenderer(house).backend == "open3d"
    assert ViewRenderer(house, torch.device("cpu"), "torch").backend == "torch"


def test_views_do_not_depend_on_which_are_rendered_together(house: LitHouse, cameras: Cameras):
    renderer = ViewRenderer(house)
    together, alone = renderer.render(cameras), renderer.render(cameras.rows(slice(1, 2)))
    assert torch.equal(together.pictures[1:2], alone.pictures)
    assert torch.equal(together.depth[1:2], alone.depth)
