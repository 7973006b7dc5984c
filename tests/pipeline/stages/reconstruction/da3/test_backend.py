import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.da3.memory import window_bytes
from models.da3.name_seeded import TINY, TINY_METRIC
from models.errors import OutOfDeviceMemory
from models.weights.contents import checksum
from pipeline.contract.errors import InconsistentReconstruction, SettingsError, TooFewRegistered
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.da3.backend import UNCHECKED, Da3Reconstructor, to_reconstruction
from pipeline.stages.reconstruction.da3.predict import EVERY, FREE_SHARE, Prediction, first_window, predict
from pipeline.stages.reconstruction.da3.settings import Da3Settings
from pipeline.stages.reconstruction.da3.windows import owned_frames, windows_of
from tests.models.da3.networks import tiny, tiny_metric
from tests.models.memory_errors import RUN_OUT
from tests.pipeline.module_calls import built_modules
from tests.pipeline.stages.reconstruction.da3.weights import save_da3
from tests.pipeline.stages.reconstruction.da3.worlds import FOCAL, HEIGHT, WIDTH, walked_room

ANY_JOIN = 1e9
"""What name-seeded weights say of two windows never agrees."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of name-seeded weights, with the config.json that a size that was not released needs."""
    folder = tmp_path_factory.mktemp("tiny")
    save_da3(folder, tiny(), TINY.layers, TINY.camera_heads)
    return folder


def backend(weights: Path, **changed: float) -> Da3Reconstructor:
    chosen = {"image_size": 112, "device": "cpu", "max_disagreement": ANY_JOIN, "refine": False, **changed}
    return Da3Reconstructor(Da3Settings.model_validate({"weights": str(weights), **chosen}))


def frames(count: int, height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """Noise that moves sideways."""
    wide = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8 + count, 3), np.uint8)
    wide = wide.repeat(8, 0).repeat(8, 1)
    return np.stack([wide[:, 8 * at : 8 * at + width] for at in range(count)])


def test_cameras_and_depth_of_all_frames_come_with_one_focal_length(weights: Path, tmp_path: Path):
    rgb = frames(5)
    rgb[2] = 90
    found = backend(weights).reconstruct(rgb, tmp_path)
    assert found.registered.tolist() == [True, True, False, True, True]
    assert found.depth.shape == found.confidence.shape == (5, 84, 112)
    assert not (found.depth[2].any())
    assert not (found.camera_to_world[2].any())
    assert not (found.intrinsics[2].any())
    kept = found.intrinsics[found.registered]
    assert (kept == kept[0]).all()
    assert kept[0, 0, 0] == kept[0, 1, 1]
    assert kept[0, :2, 2].tolist() == [320, 240]
    rotation = found.camera_to_world[found.registered][:, :3, :3]
    assert np.allclose(rotation @ rotation.swapaxes(1, 2), np.eye(3), atol=1e-5)
    assert ((found.confidence > 0) == (found.depth > 0)).all()
    assert found.confidence.max() < 1
    assert np.isnan(found.probability_right)
    assert found.notes[0] == "1 frames of one colour were left out"
    assert UNCHECKED in found.notes


def test_the_answer_is_that_of_the_network(weights: Path, tmp_path: Path):
    from models.da3.preprocess import prepare_views

    rgb = frames(3)
    with torch.inference_mode():
        views = tiny()(prepare_views(list(rgb), 112).images[None], rays=False)
    found = backend(weights).reconstruct(rgb, tmp_path)
    assert np.allclose(found.depth, views.depth[0].numpy(), rtol=1e-5)
    assert np.allclose(found.camera_to_world, views.camera_to_world[0].numpy(), atol=1e-5)
    wide = views.intrinsics[0, :, [0, 1], [0, 1]].numpy() * 640 / 112
    assert np.allclose(found.intrinsics[0, 0, 0], np.median(wide), rtol=1e-5)


def test_one_frame_is_too_few_and_two_are_if_two_will_do(weights: Path, tmp_path: Path):
    with pytest.raises(TooFewRegistered, match="only 1 frames show"):
        backend(weights, min_registered=2).reconstruct(frames(1), tmp_path)
    with pytest.raises(TooFewRegistered, match="3 are needed"):
        backend(weights).reconstruct(frames(2), tmp_path)
    assert backend(weights, min_registered=2).reconstruct(frames(2), tmp_path).registered.tolist() == [True, True]


def test_black_columns_beside_an_upright_film_are_not_trusted(weights: Path, tmp_path: Path):
    rgb = frames(3)
    rgb[:, :, :184], rgb[:, :, 456:] = 0, 0
    found = backend(weights).reconstruct(rgb, tmp_path)
    beside = np.r_[0:32, 80:112]
    assert not found.confidence[:, :, beside].any()
    assert found.confidence[:, :, 40:72].all()


@pytest.mark.parametrize(("height", "width"), [(97, 131), (200, 90), (33, 250)])
def test_pictures_of_odd_sizes_are_taken(height: int, width: int):
    rgb = frames(2, 8 * (height // 8 + 1), width + 16)[:, :height, :width]
    said = predict(tiny(), rgb, np.arange(2), 112, 8, 0.5)
    found = to_reconstruction(said, np.arange(2), rgb.shape[:3], ANY_JOIN)
    assert found.intrinsics[1, :2, 2].tolist() == [width / 2, height / 2]
    assert (found.depth > 0).all()


def test_a_clip_of_six_hundred_frames_is_worked_on_in_windows():
    seen: list[int] = []
    handle = tiny().register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    rgb = np.tile(frames(30, 48, 64), (20, 1, 1, 1))
    try:
        said = predict(tiny(), rgb, np.arange(600), 56, 40, 0.25)
    finally:
        handle.remove()
    assert set(seen) == {40}, "memory on the device is that of a window"
    assert len(seen) == 20
    kept = sum(window.depth.nbytes + window.confidence.nbytes for window in said.windows)
    assert kept < 0.1 * said.depth.nbytes
    found = to_reconstruction(said, np.arange(600), rgb.shape[:3], ANY_JOIN)
    assert found.registered.all()
    assert "20 windows were joined" in found.notes[0]


def test_windows_of_a_true_scene_become_one_reconstruction():
    room, rng = walked_room(48), np.random.default_rng(1)
    frames_of = windows_of(48, 16, 0.5)
    owned, coarse = owned_frames(frames_of), []
    depth = np.zeros((48, 16 * 6, 21 * 6), np.float32)
    for said_of, own in zip(frames_of, owned, strict=True):
        said = room.said(said_of, rng)
        coarse.append(said)
        inside = slice(own.start - said_of.start, own.stop - said_of.start)
        depth[own.start : own.stop] = said.depth[inside].repeat(6, 1).repeat(6, 2)
    prediction = Prediction(coarse, owned, depth, np.full_like(depth, 0.5), np.full((48, 2), FOCAL), 16)
    assert depth[:, EVERY, EVERY].shape == room.depth.shape
    found = to_reconstruction(prediction, np.arange(48), (48, HEIGHT, WIDTH), 0.1)
    assert found.registered.all()
    ratio = found.depth[:, EVERY, EVERY] / room.depth
    assert ratio.max() / ratio.min() < 1.1, "rays of the sampled pixels lie half a cell beside those of the room"
    assert found.notes[0].startswith("5 windows were joined")


@pytest.mark.parametrize("focal", [np.nan, 3.0, 1e6])
def test_focal_lengths_of_no_camera_are_refused(focal: float):
    with pytest.raises(InconsistentReconstruction, match="no camera has a focal length"):
        _with_focal(focal)


def _with_focal(focal: float) -> Reconstruction:
    room = walked_room(3)
    said = room.said(range(3), np.random.default_rng(0))
    maps = np.ones((3, 96, 126), np.float32)
    return to_reconstruction(
        Prediction([said], [range(3)], maps, maps / 2, np.full((3, 2), focal), 3), np.arange(3), (3, 480, 640), 0.1
    )


def test_frames_without_depth_or_with_a_broken_camera_are_not_registered():
    room = walked_room(4)
    said = room.said(range(4), np.random.default_rng(0))
    said.camera_to_world[1] = np.nan
    maps = np.ones((4, 96, 126), np.float32)
    maps[3] = 0
    prediction = Prediction([said], [range(4)], maps, maps / 2, np.full((4, 2), FOCAL), 4)
    found = to_reconstruction(prediction, np.arange(4), (4, 480, 640), 0.1)
    assert found.registered.tolist() == [True, False, True, False]
    assert not (found.depth[1].any())
    assert not (found.confidence[1].any())
    assert not (found.camera_to_world[1].any())


class _SmallMemory(torch.nn.Module):
    """The network on a device that holds so many frames at once."""

    def __init__(self, most: int, runs_out: Callable[[], None]) -> None:
        super().__init__()
        self.most, self.runs_out = most, runs_out
        self.config, self.device = tiny().config, tiny().device

    def forward(self, images: torch.Tensor, *, rays: bool) -> object:
        if images.shape[1] > self.most:
            self.runs_out()
        return tiny()(images, rays=rays)


@pytest.mark.parametrize("runs_out", RUN_OUT)
def test_windows_are_halved_where_memory_runs_out_and_all_is_done_with_the_last_size(runs_out: Callable[[], None]):
    rgb = frames(20, 48, 64)
    halved = predict(_SmallMemory(7, runs_out), rgb, np.arange(20), 56, 20, 0.5)  # type: ignore[arg-type]
    small = predict(tiny(), rgb, np.arange(20), 56, 5, 0.5)
    assert halved.window == 5
    assert np.array_equal(halved.depth, small.depth)
    with pytest.raises(OutOfDeviceMemory, match="not even 5 frames fit"):
        predict(_SmallMemory(3, runs_out), rgb, np.arange(20), 56, 20, 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames_held", [0, 3, 4, 9, 15, 40])
def test_the_first_window_is_what_the_free_memory_holds(frames_held: int, monkeypatch: pytest.MonkeyPatch):
    network, asked = tiny(), 20
    held = window_bytes(network.config, (378, 504), frames_held) / FREE_SHARE
    monkeypatch.setattr("models.memory.available_bytes", lambda: held + 1)
    assert first_window(network, (480, 640), 504, asked) == min(max(frames_held, 4), asked)
    assert first_window(network, (480, 640), 504, 3) == 3, "a clip may be shorter than a window"


def test_a_clip_goes_on_in_the_windows_that_memory_holds_without_running_out_of_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    held = window_bytes(tiny().config, (84, 112), 5) / FREE_SHARE
    monkeypatch.setattr("models.memory.available_bytes", lambda: held * 1.01)
    found = backend(weights).reconstruct(frames(8), tmp_path)
    assert "the device's memory held 5 frames at a time, 64 were asked for" in found.notes
    small = predict(tiny(), frames(8), np.arange(8), 112, 5, 0.5)
    assert small.window == 5


def test_errors_of_a_network_that_are_not_of_memory_are_not_taken_for_that():
    def refuses() -> None:
        raise RuntimeError("shape '[3]' is invalid for input of size 4")

    with pytest.raises(RuntimeError, match="invalid for input"):
        predict(_SmallMemory(7, refuses), frames(20, 48, 64), np.arange(20), 56, 20, 0.5)  # type: ignore[arg-type]


def test_weights_are_on_record_and_a_matter_of_settings(weights: Path, tmp_path: Path):
    assert dict(backend(weights).weights) == {"model.safetensors": checksum(weights / "model.safetensors")}
    with pytest.raises(SettingsError, match=r"none\.safetensors"):
        backend(tmp_path / "none.safetensors").reconstruct(frames(3), tmp_path)
    page = tmp_path / "page.safetensors"
    page.write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(SettingsError, match=r"page\.safetensors"):
        backend(page).reconstruct(frames(3), tmp_path)


def test_the_network_for_metric_depth_has_no_cameras(tmp_path: Path):
    save_da3(tmp_path, tiny_metric(), TINY_METRIC.layers, TINY_METRIC.camera_heads)
    with pytest.raises(SettingsError, match="metric depth of one view"):
        backend(tmp_path).reconstruct(frames(3), tmp_path)


def test_weights_of_another_family_or_size_are_a_matter_of_settings(weights: Path, tmp_path: Path):
    save_file({"encoder.backbone.cls_token": torch.zeros(1, 1, 384)}, tmp_path / "model.safetensors")
    with pytest.raises(SettingsError, match=r"reconstruction weights .*Depth Anything 3"):
        backend(tmp_path).reconstruct(frames(3), tmp_path)
    (tmp_path / "model.safetensors").write_bytes((weights / "model.safetensors").read_bytes())
    with pytest.raises(SettingsError, match=r"config\.json"):
        backend(tmp_path).reconstruct(frames(3), tmp_path)


def test_bfloat16_on_a_device_without_it_is_a_matter_of_settings(weights: Path, tmp_path: Path):
    asked = Da3Settings.model_validate({"weights": str(weights), "device": "meta", "precision": "bfloat16"})
    with pytest.raises(SettingsError, match="does not compute in bfloat16"):
        Da3Reconstructor(asked).reconstruct(frames(3), tmp_path)


def test_upright_pictures_beside_black_sides_and_refinement_go_together(weights: Path, tmp_path: Path):
    rgb = frames(4)
    rgb[:, :, :184], rgb[:, :, 456:] = 0, 0
    plain = backend(weights).reconstruct(rgb, tmp_path)
    found = backend(weights, refine=True).reconstruct(rgb, tmp_path)
    assert any(note.startswith("Cameras") for note in found.notes)
    assert np.array_equal(found.registered, plain.registered)
    assert np.array_equal(found.confidence, plain.confidence)


def test_a_process_that_goes_on_loads_a_network_once_and_again_where_its_description_is_another(
    weights: Path, tmp_path: Path
):
    own, again = Path(shutil.copytree(weights, tmp_path / "own")), []
    for beside in (" ", " ", "  "):
        (own / "config.json").write_text((weights / "config.json").read_text() + beside)
        with built_modules() as built:
            backend(own).reconstruct(frames(4), tmp_path)
        again.append(bool(built))
    assert again == [True, False, True]
