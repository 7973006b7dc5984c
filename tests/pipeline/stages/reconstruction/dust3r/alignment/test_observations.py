import numpy as np
import torch

from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations, sample
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from tests.pipeline.analytic_pairs import HEIGHT, WIDTH, Scene
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import CENTRE, observed


def test_every_pair_is_observed_twice_in_the_frame_of_its_first_camera(scene: Scene, seen: Observations):
    edges = torch.from_numpy(scene.predictions.edges)
    assert seen.pair_count == len(edges) == 4
    assert seen.pair.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert torch.equal(seen.source, edges[:, 0].repeat(2))
    assert torch.equal(seen.target, torch.cat([edges[:, 0], edges[:, 1]]))


def test_pixels_lie_on_a_grid_about_the_principal_point(seen: Observations):
    # 36 x 48 pixels with a budget of 64: every sixth of both, from the third on.
    assert len(seen.pixels) == 6 * 8
    assert seen.pixels[0].tolist() == [3.5 - WIDTH / 2, 3.5 - HEIGHT / 2]
    assert seen.pixels[1].tolist() == [9.5 - WIDTH / 2, 3.5 - HEIGHT / 2]


def test_points_and_weights_are_those_of_the_pixels(scene: Scene, seen: Observations):
    x = (seen.pixels[:, 0] + WIDTH / 2 - 0.5).long().numpy()
    y = (seen.pixels[:, 1] + HEIGHT / 2 - 0.5).long().numpy()
    points, weight = seen.first()
    assert np.allclose(points[2], scene.predictions.points1[2][y, x])
    assert np.allclose(weight[2], np.log(scene.predictions.confidence1[2][y, x]))
    points, weight = seen.second()
    assert np.allclose(points[1], scene.predictions.points2[1][y, x])
    assert np.allclose(weight[1], np.log(scene.predictions.confidence2[1][y, x]))


def test_the_more_pixels_are_allowed_the_more_take_part_up_to_all(scene: Scene):
    counts = [len(observed(scene, AlignmentSettings(pixels_per_image=n)).pixels) for n in (64, 200, 500, 100_000)]
    assert counts == sorted(counts)
    assert counts[-1] == HEIGHT * WIDTH


def test_all_pairs_together_have_a_bound_too(scene: Scene):
    whole = observed(scene, AlignmentSettings(pixels_per_image=3072))
    few = observed(scene, AlignmentSettings(pixels_per_image=3072, max_observations=10_000))
    assert few.points.numel() / 3 <= 10_000 < whole.points.numel() / 3


def test_confidence_below_one_weighs_nothing(scene: Scene):
    unsure = scene.predictions.confidence1.copy()
    unsure[0] = 0.5
    predictions = scene.predictions.__class__(**{**vars(scene.predictions), "confidence1": unsure})
    weight = sample(predictions, CENTRE, AlignmentSettings(pixels_per_image=64)).first()[1]
    assert (weight[0] == 0).all()
    assert (weight[1] > 0).all()
