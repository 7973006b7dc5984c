"""Metres of Depth Anything 3's clips: what the network for metric depth says, and what is made of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors.torch import save_file

from models.da3 import Da3Metric
from models.da3.name_seeded import TINY, TINY_METRIC
from models.da3.preprocess import prepare_views
from models.moge import Moge
from models.weights.contents import checksum
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import resize_nearest
from pipeline.settings import load_settings
from pipeline.stages.needed_weights import needed_weights
from pipeline.stages.reconstruction.backends import SETTINGS
from pipeline.stages.reconstruction.da3.backend import Da3Reconstructor, lens_spread
from pipeline.stages.reconstruction.da3.metric_look import MetricLook, metric_look
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.metres import of_another_network
from pipeline.stages.reconstruction.metric_evidence import MOST_FRAMES
from tests.models.da3.networks import tiny, tiny_metric
from tests.models.memory_errors import RUN_OUT
from tests.models.moge.networks import tiny_moge
from tests.pipeline.module_calls import counted_calls
from tests.pipeline.stages.reconstruction.colmap_moge.weights import save_moge
from tests.pipeline.stages.reconstruction.da3.test_backend import ANY_JOIN, frames
from tests.pipeline.stages.reconstruction.da3.weights import save_da3

SHAPE = (84, 112)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name-seeded networks: for cameras, for metres, and a MoGe-2 as a file and as a folder."""
    root = tmp_path_factory.mktemp("networks")
    found = {name: root / name for name in ("da3", "metric", "moge")}
    for folder in found.values():
        folder.mkdir()
    save_da3(found["da3"], tiny(), TINY.layers, TINY.camera_heads)
    save_da3(found["metric"], tiny_metric(), TINY_METRIC.layers, TINY_METRIC.camera_heads)
    save_moge(found["moge"] / "model.pt", tiny_moge())
    return {**found, "moge file": found["moge"] / "model.pt", "metric file": found["metric"] / "model.safetensors"}


def backend(folders: dict[str, Path], metric: str | None, **changed: object) -> Da3Reconstructor:
    chosen = {"image_size": 112, "device": "cpu", "max_disagreement": ANY_JOIN, "refine": False, **changed}
    named = None if metric is None else str(folders[metric])
    return Da3Reconstructor(
        Da3Settings.model_validate({"weights": str(folders["da3"]), "metric_weights": named, **chosen})
    )


@pytest.mark.parametrize("size", [(480, 640), (480, 600)])
@pytest.mark.parametrize("focal", [0.5, 1.3])
def test_metres_are_the_networks_for_the_focal_length_of_its_input(
    folders: dict[str, Path], size: tuple[int, int], focal: float
):
    rgb = frames(2, *size)
    said = metric_look(rgb, SHAPE, backend(folders, "metric").settings)
    metres, solid = said.seen_with(np.array([1]), np.array([focal]))
    prepared = prepare_views([rgb[1]])
    intrinsics = np.array([[[focal * size[1], 0, size[1] / 2], [0, focal * size[1], size[0] / 2], [0, 0, 1]]])
    of_input = prepared.input_intrinsics(intrinsics)[0]
    with torch.inference_mode():
        view = Da3Metric.load(folders["metric"])(prepared.images)
    expected = view.metres(float((of_input[0, 0] + of_input[1, 1]) / 2)).numpy()
    np.testing.assert_allclose(metres, resize_nearest(expected, SHAPE), rtol=1e-5)
    assert np.array_equal(solid, resize_nearest(view.sky.numpy(), SHAPE) < 0.3)
    assert said.facing(np.array([1]), np.array([focal])) is said.focal_ratio(np.array([1]), np.array([focal])) is None


def test_what_is_sky_says_no_scale():
    depth = np.ones((1, 4, 4), np.float32)
    solid = np.arange(16).reshape(1, 4, 4) < 8
    assert np.array_equal(MetricLook(depth, solid).seen_with(np.array([0]), np.array([1.0]))[1], solid)


@pytest.mark.parametrize(
    ("metric", "kind", "file"),
    [
        ("metric", Da3Metric, "model.safetensors (2)"),
        ("metric file", Da3Metric, "model.safetensors (2)"),
        ("moge", Moge, "model.pt"),
        ("moge file", Moge, "model.pt"),
    ],
)
def test_the_network_that_is_named_is_asked_of_ten_frames_and_goes_on_record(
    folders: dict[str, Path], tmp_path: Path, metric: str, kind: type[torch.nn.Module], file: str
):
    asked = backend(folders, metric)
    path = folders[metric] if folders[metric].is_file() else folders[metric] / file.removesuffix(" (2)")
    recorded = {"model.safetensors": checksum(folders["da3"] / "model.safetensors"), file: checksum(path)}
    assert dict(asked.weights) == recorded
    with counted_calls(kind) as calls:
        found = asked.reconstruct(frames(12), tmp_path)
    assert calls == [1] * MOST_FRAMES
    assert any("Metric depth says" in note for note in found.notes)


def test_nothing_is_asked_where_no_network_is_named_and_stored_results_stand(folders: dict[str, Path], tmp_path: Path):
    plain = backend(folders, None)
    with counted_calls(Da3Metric) as calls:
        found = plain.reconstruct(frames(3), tmp_path)
    assert calls == []
    assert np.isnan(found.log_scale)
    assert not any("Metric depth" in note for note in found.notes)
    assert "metric_weights" not in plain.settings.model_dump()
    whole = SETTINGS.model_validate({"backend": "da3"})
    named = SETTINGS.model_validate({"backend": "da3", "da3": {"metric_weights": "da3_metric_large"}})
    assert "metric_weights" not in whole.decisive()["da3"]
    assert named.decisive() != whole.decisive()


@pytest.fixture(scope="module")
def truth(truth: Reconstruction) -> Reconstruction:
    """Cameras and depth as another network may have found them: right, in a unit of half a metre."""
    poses = truth.camera_to_world.copy()
    poses[:, :3, 3] /= 0.5
    return replace(truth, camera_to_world=poses, depth=truth.depth / np.float32(0.5))


def exact(truth: Reconstruction) -> Callable[[NDArray[np.int64]], MetricLook]:
    """Return what asks a network that is right about every picture."""
    widths = truth.intrinsics[:, 0, 0] / 640
    depth = 0.5 * truth.depth / widths[:, None, None]
    return lambda rows: MetricLook(depth[rows].astype(np.float32), depth[rows] > 0)


@pytest.mark.parametrize("mistaken", [1.0, 1.2])
def test_the_scale_is_the_networks_and_goes_with_the_focal_length(truth: Reconstruction, mistaken: float):
    lens = truth.intrinsics.copy()
    lens[:, (0, 1), (0, 1)] *= mistaken
    told = of_another_network(replace(truth, intrinsics=lens), exact(truth), 0.15)
    assert told.log_scale == pytest.approx(np.log(0.5 * mistaken), abs=0.01)
    assert 0.06 < told.log_scale_sigma < 0.15


def test_a_lens_that_is_not_known_makes_the_scale_less_sure(truth: Reconstruction):
    sure, unsure = (of_another_network(truth, exact(truth), 0.15, spread) for spread in (0.0, 0.2))
    assert unsure.log_scale == sure.log_scale
    assert unsure.log_scale_sigma == pytest.approx(np.hypot(sure.log_scale_sigma, 0.2))
    assert f"says the scale to {unsure.log_scale_sigma:.0%}" in unsure.notes[-1]


def test_the_spread_of_focal_lengths_is_that_of_frames_and_axes_whatever_one_frame_says():
    rng = np.random.default_rng(0)
    focal = 500 * np.exp(0.05 * rng.standard_normal((400, 2)))
    focal[:20], focal[20] = 5000, np.nan
    assert lens_spread(focal) == pytest.approx(0.05, abs=0.01)
    assert lens_spread(np.full((3, 2), 480.0)) == 0


@pytest.mark.parametrize("name", ["da3_small", "dust3r_small", "dinov2_small", "san_small"])
def test_names_of_networks_without_metres_are_refused_before_anything_is_fetched(name: str):
    with pytest.raises(ValidationError, match=f"{name} is the name of a .* METRIC or a MoGe-2 is wanted: da3_metric"):
        Da3Settings(metric_weights=name)
    with pytest.raises(ValidationError, match="METRIC, and a Depth Anything 3 is wanted: da3_small, da3_base, or a"):
        Da3Settings(weights="da3_metric_large")


def test_the_named_network_is_fetched_beforehand():
    chosen = {"backend": "da3", "da3": {"metric_weights": "da3_metric_large"}}
    needed = [weights.name for weights in needed_weights(load_settings("open", overrides={"reconstruction": chosen}))]
    assert "da3_metric_large" in needed


@pytest.mark.parametrize("what", ["views", "stranger", "page", "nothing"])
def test_files_of_networks_without_metres_are_a_matter_of_settings(folders: dict[str, Path], tmp_path: Path, what: str):
    path = tmp_path / "x.safetensors"
    if what == "views":
        path = folders["da3"]
    elif what == "stranger":
        save_file({"dec_blocks.0": torch.zeros(1)}, path)
    elif what == "page":
        path.write_text("<!DOCTYPE html><title>Sign in</title>")
    said = {"views": "for several views", "stranger": "DUSt3R", "page": "web page", "nothing": "there is no file"}[what]
    (tmp_path / "work").mkdir()
    with pytest.raises(SettingsError, match=f"(?s){said}"):
        backend({**folders, "x": path}, "x").reconstruct(frames(3), tmp_path / "work")


@pytest.mark.parametrize("runs_out", RUN_OUT)
def test_a_device_too_small_for_one_picture_is_a_matter_of_settings(
    folders: dict[str, Path], runs_out: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("models.da3.metric.Da3Metric.forward", lambda *_, **__: runs_out())
    with pytest.raises(SettingsError, match="not even one picture fits"):
        metric_look(frames(1), SHAPE, backend(folders, "metric").settings)
