"""The profile ``small``, with the weights that ship, on shots of a tour that nothing was trained on."""

from pathlib import Path

import numpy as np
import pytest

from models.weights.registry import EFFICIENTNET_LITE0_SHA256, SHIPPED_SHA256
from pipeline.contract.arrays import Images
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.geometry.poses import depth_errors, resize_nearest
from pipeline.settings import Settings, load_settings
from pipeline.stages.indoor_clips.backends import indoor_filter
from pipeline.stages.indoor_clips.settings import SmallIndoorSettings
from pipeline.stages.indoor_clips.small import SmallIndoorFilter
from pipeline.stages.reconstruction.backends import reconstructor
from pipeline.stages.reconstruction.looks import look
from pipeline.stages.semantics.backends import segmenter
from pipeline.tours.views.shots import ShotViews, title_view, tour_shots, true_clip_of

SEED = 900_017


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings("small")


@pytest.fixture(scope="module")
def shots() -> list[ShotViews]:
    return tour_shots(SEED, 4, 480, 640, garden=True)


@pytest.fixture(scope="module")
def room(shots: list[ShotViews]) -> ShotViews:
    return next(shot for shot in shots if shot.indoor)


def frames_of(shot: ShotViews) -> Images:
    return shot.views.pictures.permute(0, 2, 3, 1).contiguous().numpy()


def test_rooms_and_gardens_are_told_apart(settings: Settings, shots: list[ShotViews]):
    chosen = indoor_filter(settings.indoor_clips)
    assert {shot.indoor for shot in shots} == {True, False}
    for shot in shots:
        assert (chosen.score(frames_of(shot)).indoor > 0.5) == shot.indoor


def test_a_title_card_is_not_indoors(settings: Settings):
    card = title_view(np.random.default_rng(0), "Our New Place").permute(1, 2, 0).numpy()
    assert indoor_filter(settings.indoor_clips).score(card[None]).indoor < 0.5


def test_labels_of_a_room_are_mostly_right(settings: Settings, room: ShotViews):
    truth = true_clip_of(room)
    semantics = segmenter(settings.semantics).segment(frames_of(room), truth.scene)
    known = truth.semantics.labels != SemanticClass.UNKNOWN
    assert (semantics.labels == truth.semantics.labels)[known].mean() > 0.6
    assert semantics.regions.max() > 1


def test_pointmaps_of_the_small_dust3r_beat_a_flat_guess(room: ShotViews, tmp_path: Path):
    reconstruct = {"backend": "dust3r", "dust3r": {"weights": "dust3r_small"}}
    chosen = load_settings("small", overrides={"reconstruction": reconstruct})
    found = reconstructor(chosen.reconstruction).reconstruct(frames_of(room), tmp_path)
    assert found.registered.all()
    truth = resize_nearest(room.views.depth.numpy(), found.depth.shape[1:])
    flat = depth_errors(np.ones_like(truth), truth)
    assert depth_errors(found.depth, truth).absolute_relative < 0.75 * flat.absolute_relative


def test_metres_and_shapes_of_the_small_moge_are_near_the_rooms(settings: Settings, room: ShotViews):
    seen = look(frames_of(room), (120, 160), settings.reconstruction.colmap_moge)
    truth = resize_nearest(room.views.depth.numpy(), (120, 160))
    focal = np.full(len(truth), float(room.views.intrinsics[0, 0, 0]) / 640)
    depth, solid = seen.seen_with(np.arange(len(truth)), focal)
    assert solid.mean() > 0.95
    assert depth_errors(depth, truth).absolute_relative < 0.15
    assert abs(np.median(np.log(depth[solid] / truth[solid]))) < 0.2


def test_weights_are_on_record(settings: Settings):
    assert [*indoor_filter(settings.indoor_clips).weights.values()] == [EFFICIENTNET_LITE0_SHA256]
    for backend in (reconstructor(settings.reconstruction), segmenter(settings.semantics)):
        ((name, sha256),) = backend.weights.items()
        assert sha256 == SHIPPED_SHA256[name.removesuffix(".safetensors")]


def test_weights_of_another_network_are_a_settings_error(tmp_path: Path):
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"no tensors at all")
    broken = SmallIndoorFilter(SmallIndoorSettings(weights=str(wrong)))
    with pytest.raises(SettingsError, match="indoor weights"):
        broken.score(np.zeros((1, 48, 64, 3), np.uint8))
