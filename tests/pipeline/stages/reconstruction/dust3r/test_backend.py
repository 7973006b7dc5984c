from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.dust3r.preprocess import Crop
from pipeline.contract.errors import ClipError, SettingsError, TooFewRegistered
from pipeline.stages.reconstruction.dust3r.alignment.align import align
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.backend import Dust3rReconstructor, to_reconstruction
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings
from tests.models.tiny_dust3r import LINEAR, build
from tests.pipeline.analytic_pairs import make_scene
from tests.pipeline.module_calls import built_modules

EDGES = np.array([[0, 1], [1, 0], [1, 2], [2, 1]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of an untrained network: it runs, and nothing it says can be trusted."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in build(LINEAR).state_dict().items()}, path)
    return path


def frames(*shades: int) -> NDArray[np.uint8]:
    """Frames of one colour each, or of noise where the shade is negative."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3))
    return np.stack([noise if shade < 0 else np.full_like(noise, shade) for shade in shades]).astype(np.uint8)


def test_what_an_untrained_network_says_is_refused(weights: Path, tmp_path: Path):
    backend = Dust3rReconstructor(Dust3rSettings(weights=str(weights), image_size=224))
    with pytest.raises(ClipError):
        backend.reconstruct(frames(-1, -1, -1), tmp_path)


@pytest.mark.parametrize("shades", [(10, 10, 10), (-1,), (-1, 200, -1, 0)])
def test_frames_that_show_nothing_are_too_few(shades: tuple[int, ...], tmp_path: Path):
    with pytest.raises(TooFewRegistered, match="3 are needed"):
        Dust3rReconstructor(Dust3rSettings()).reconstruct(frames(*shades), tmp_path)


def test_missing_weights_are_a_matter_of_settings(tmp_path: Path):
    backend = Dust3rReconstructor(Dust3rSettings(weights=str(tmp_path / "none.pth")))
    with pytest.raises(SettingsError, match=r"none\.pth"):
        backend.reconstruct(frames(-1, -1, -1), tmp_path)


def test_broken_weights_are_refused_before_they_answer(tmp_path: Path):
    state = {key: tensor.clone() for key, tensor in build(LINEAR).state_dict().items()}
    state["dec_norm.weight"][0] = torch.nan
    save_file(state, tmp_path / "broken.safetensors")
    backend = Dust3rReconstructor(Dust3rSettings(weights=str(tmp_path / "broken.safetensors"), image_size=224))
    with pytest.raises(SettingsError, match=r"not finite, first in dec_norm\.weight"):
        backend.reconstruct(frames(-1, -1, -1), tmp_path)


def test_weights_of_another_network_are_a_matter_of_settings(tmp_path: Path):
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "resnet.safetensors")
    backend = Dust3rReconstructor(Dust3rSettings(weights=str(tmp_path / "resnet.safetensors")))
    with pytest.raises(SettingsError, match="not the weights of a DUSt3R"):
        backend.reconstruct(frames(-1, -1, -1), tmp_path)


def test_the_weights_used_are_on_record(weights: Path):
    recorded = Dust3rReconstructor(Dust3rSettings(weights=str(weights))).weights
    assert list(recorded) == ["untrained.safetensors"]
    assert len(recorded["untrained.safetensors"]) == 64


def test_cameras_and_depth_return_to_the_stored_picture():
    scene = make_scene(EDGES, 3)
    alignment = align(scene.predictions, AlignmentSettings())
    shown = np.array([True, False, True, True])
    crop = Crop(original=(640, 480), resized=(48, 36), left=0, top=0, size=(48, 36))
    result = to_reconstruction(alignment, crop, shown, ("a note",))
    assert result.registered.tolist() == shown.tolist()
    assert np.allclose(result.intrinsics[0], [[560, 0, 320], [0, 560, 240], [0, 0, 1]], atol=0.01)  # 42 * 640 / 48
    assert not result.depth[1].any()
    assert not result.camera_to_world[1].any()
    assert result.depth.shape == (4, 36, 48)
    assert ((result.confidence > 0) == (result.depth > 0)).all()
    assert result.confidence.max() < 1


def test_a_process_that_goes_on_loads_weights_once_and_again_where_they_were_replaced(tmp_path: Path):
    path, again = tmp_path / "tiny.safetensors", []
    state = {key: tensor.contiguous() for key, tensor in build(LINEAR).state_dict().items()}
    for bias in (0.0, 0.0, 1.0):
        save_file(state | {"dec_norm.bias": torch.full_like(state["dec_norm.bias"], bias)}, path)
        backend = Dust3rReconstructor(Dust3rSettings(weights=str(path), image_size=224))
        with built_modules() as built, pytest.raises(ClipError):
            backend.reconstruct(frames(-1, -1, -1), tmp_path)
        again.append(bool(built))
    assert again == [True, False, True]
