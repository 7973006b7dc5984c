from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import DamagedArrays
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from tests.pipeline.stages.reconstruction.colmap.good_model import good_model


def test_what_is_saved_is_loaded(tmp_path: Path):
    model = good_model()
    model.save(tmp_path / "model.npz")
    loaded = SparseModel.load(tmp_path / "model.npz")
    for field in fields(SparseModel):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(model, field.name))
        assert type(getattr(loaded, field.name)) is type(getattr(model, field.name))


def test_an_empty_model_has_no_camera_and_no_point(tmp_path: Path):
    SparseModel.empty(3, 0.4).save(tmp_path / "model.npz")
    model = SparseModel.load(tmp_path / "model.npz")
    assert model.registered.tolist() == [False] * 3
    assert (model.camera_to_world.shape, model.points.shape, model.depths().shape) == ((3, 4, 4), (0, 3), (0,))
    assert (model.parallax, model.model_sizes) == (0.4, ())
    assert np.isnan(model.reprojection_error)


def test_a_file_with_python_objects_is_refused(tmp_path: Path):
    values = {field.name: np.array([{}], dtype=object) for field in fields(SparseModel)}
    np.savez(tmp_path / "model.npz", **values)
    with pytest.raises(DamagedArrays, match="of object"):
        SparseModel.load(tmp_path / "model.npz")


def test_depths_are_along_the_optical_axis():
    model = good_model()
    # The points lie 2 to 4 m in front of cameras that all look along z from z = 0.
    np.testing.assert_allclose(model.depths(), model.points[model.observed_point, 2])


def test_triangulation_angles_are_those_between_first_and_last_camera():
    model = good_model()
    first, last = model.camera_to_world[[0, -1], :3, 3]
    a, b = first - model.points, last - model.points
    cosine = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(model.triangulation_angles(), np.degrees(np.arccos(cosine)))


def test_a_frame_that_shares_no_point_with_another_is_alone():
    model = good_model()
    assert not model.alone().any()
    own = len(model.points) + np.arange(2)
    lonely = replace(
        model,
        points=np.concatenate([model.points, model.points[:2]]),
        observed_point=np.concatenate([np.where(model.observed_frame == 2, own[0], model.observed_point), own, own]),
        observed_frame=np.concatenate([model.observed_frame, [2] * 4]),
        observed_pixel=np.concatenate([model.observed_pixel, np.ones((4, 2))]),
    )
    assert np.flatnonzero(lonely.alone()).tolist() == [2], "however often it sees its own points"
    kept = lonely.without(lonely.alone())
    assert np.flatnonzero(~kept.registered).tolist() == [2]
    assert not kept.camera_to_world[2].any()
    np.testing.assert_array_equal(kept.points, model.points)
    assert not kept.alone().any()
    kept.triangulation_angles()


def test_a_registered_frame_without_any_point_is_alone():
    model = good_model()
    unseen = model.observed_frame != 5
    lonely = replace(model, observed_frame=model.observed_frame[unseen], observed_point=model.observed_point[unseen])
    assert np.flatnonzero(lonely.alone()).tolist() == [5]
    assert not SparseModel.empty(3, 0.4).alone().any()


def test_a_zoom_that_explains_no_more_than_noise_must_explain_pictures_far_better_than_cameras_without_it():
    asking = replace(good_model(), zoom_asked=np.linspace(0.97, 1.02, 6), reprojection_error=0.41, bent_error=0.4)
    noise, sure = replace(asking, zoom_statistic=-44.0), replace(asking, zoom_statistic=20.0)
    assert noise.error_with_zoom(noise.asks_for_zoom) == pytest.approx(0.36), "of the lens that bends, which is less"
    assert sure.error_with_zoom(sure.asks_for_zoom) == pytest.approx(0.39)
    assert good_model().error_with_zoom(True) == pytest.approx(0.975 * 0.5)
    assert np.isnan(SparseModel.empty(6, 3.0).error_with_zoom(False)), "nothing is below it"
