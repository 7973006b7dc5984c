"""A rendered tour, matched, with a name-seeded network that knows nothing: it must not make anything worse.

With the true depth in the place of the network's, distorted, it must make more of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.da3.name_seeded import TINY
from models.moge import Moge
from models.weights.contents import checksum
from pipeline.contract.errors import (
    ClipError,
    SettingsError,
    TooFewRegistered,
    TooLittleParallax,
    UnlikelyReconstruction,
)
from pipeline.contract.records import DepthSource
from pipeline.geometry.distortion import STRAIGHT
from pipeline.geometry.poses import depth_errors, resize_nearest
from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor, MatchedClip, find_cameras
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SparseSettings, SweepSettings, TrustSettings
from pipeline.stages.reconstruction.colmap_moge.backend import ColmapMogeReconstructor, Sighted, with_prior
from pipeline.stages.reconstruction.colmap_moge.settings import ColmapMogeSettings
from pipeline.stages.reconstruction.first_look import Ballot, FindsLens, HasLastResort
from pipeline.stages.reconstruction.looks import ClipLooks, NetworkLook, look
from pipeline.stages.reconstruction.metres import of_another_network
from tests.models.da3.networks import tiny
from tests.models.memory_errors import RUN_OUT
from tests.models.moge.networks import tiny_moge
from tests.pipeline.module_calls import built_modules, counted_calls
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips, TourClip
from tests.pipeline.stages.reconstruction.colmap_moge.weights import save_moge
from tests.pipeline.stages.reconstruction.da3.weights import save_da3

SHAPE = (120, 160)
QUICK = ColmapSettings(
    sparse=SparseSettings(max_features=1200), sweep=SweepSettings(width=SHAPE[1], max_planes=64), threads=1
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_moge(tmp_path_factory.mktemp("moge") / "model.pt", tiny_moge())


def settings_of(weights: Path, **changed: object) -> ColmapMogeSettings:
    given = {"weights": str(weights), "device": "cpu", "colmap": QUICK, **changed}
    return ColmapMogeSettings.model_validate(given)


@pytest.fixture(scope="module")
def clip(tour_clip: MakesClips) -> TourClip:
    return tour_clip(seed=2, shot=1, count=9)


@pytest.fixture(scope="module")
def measured(clip: TourClip, tmp_path_factory: pytest.TempPathFactory) -> MatchedClip:
    model = find_cameras(clip.rgb, tmp_path_factory.mktemp("clip"), QUICK.without_lens())
    return ColmapReconstructor(QUICK).measured(clip.rgb, model)


def test_a_network_that_knows_nothing_makes_nothing_worse(clip: TourClip, measured: MatchedClip, weights: Path):
    settings = settings_of(weights)
    found = Sighted(QUICK, settings, look(clip.rgb, SHAPE, settings).of_frames).completed(measured)
    with built_modules() as built:
        look(clip.rgb[:1], SHAPE, settings)
    assert built == [], "the network of the first clip stays"
    for name in ("intrinsics", "camera_to_world", "depth", "confidence", "registered"):
        assert np.array_equal(getattr(found, name), getattr(measured.found, name)), name
    assert found.depth_source is not None
    assert np.array_equal(found.depth_source > 0, found.depth > 0)
    assert not (found.depth_source == DepthSource.NETWORK).any()
    assert "taken in no frame" in found.notes[-2]
    assert "says nothing of the scale" in found.notes[-1]
    assert np.isnan(found.log_scale)


def test_a_clip_goes_through_from_its_pictures(clip: TourClip, weights: Path, tmp_path: Path):
    backend = ColmapMogeReconstructor(settings_of(weights))
    assert isinstance(backend, FindsLens)
    found = backend.reconstruct(clip.rgb[:5], tmp_path)
    assert found.registered.all()
    assert found.depth.shape == (5, *SHAPE)
    assert found.depth_source is not None
    assert (found.depth_source == DepthSource.MATCHED).mean() > 0.3
    assert backend.weights == {"model.pt": checksum(weights)}


@pytest.fixture(scope="module")
def true_look(clip: TourClip) -> NetworkLook:
    """What a network would say that sees shapes exactly, and every frame in a unit and with a shift of its own."""
    depth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), SHAPE).astype(np.float32)
    focal = clip.truth[0].intrinsics[0, 0]
    columns, rows = ((np.arange(side) + 0.5) * 640 / SHAPE[1] for side in SHAPE[::-1])
    x, y = np.meshgrid((columns - 320) / focal, (rows - 240) / focal)
    rng = np.random.default_rng(0)
    unit, shift = np.exp(rng.uniform(-1, 1, (2, len(depth), 1, 1, 1)))
    z = depth[..., None] / unit
    points = np.concatenate(
        [x[..., None] * z, y[..., None] * z, z - 0.3 * shift * z.min(axis=(1, 2, 3), keepdims=True)], -1
    )
    focals = np.full(len(depth), focal / 640)
    return NetworkLook(points.astype(np.float32), None, None, unit[:, 0, 0, 0].astype(np.float32), focals)


def test_true_shapes_fill_what_matching_left_and_say_the_scale(
    clip: TourClip, measured: MatchedClip, true_look: NetworkLook, weights: Path
):
    found, plain = Sighted(QUICK, settings_of(weights), true_look.of_frames).completed(measured), measured.found
    truth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), SHAPE)
    before, after = (depth_errors(one.depth, truth) for one in (plain, found))
    assert after.given > before.given + 0.03
    assert after.given > 0.95
    assert after.absolute_relative < before.absolute_relative + 0.005
    kept = plain.depth > 0
    assert np.array_equal(found.depth[kept], plain.depth[kept])
    assert np.array_equal(found.camera_to_world, plain.camera_to_world)
    own = np.median(np.log(truth[kept & (truth > 0)] / plain.depth[kept & (truth > 0)]))
    assert found.log_scale == pytest.approx(own, abs=0.02)
    assert 0.06 < found.log_scale_sigma < 0.15
    assert "fills" in found.notes[-2]


@pytest.mark.parametrize("larger", [1.0, 1.3])
def test_a_network_of_depth_over_focal_length_says_the_scale_by_the_lens_that_is_known(
    clip: TourClip, measured: MatchedClip, weights: Path, larger: float
):
    depth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), SHAPE).astype(np.float32)
    focal = clip.truth[0].intrinsics[0, 0] / 640
    columns, rows = ((np.arange(side) + 0.5) / SHAPE[1] for side in SHAPE[::-1])
    x, y = np.meshgrid((columns - 0.5) / focal, (rows - 0.375) / focal)
    mistaken = 1.1  # it takes the lens for a longer one, and so all for farther away
    points = np.stack([x * depth, y * depth, mistaken * depth], axis=-1)
    of_frames = np.full(len(depth), larger, np.float32), np.full(len(depth), mistaken * focal)
    said = NetworkLook(points, None, None, *of_frames, shifted=False, spread=np.full(len(depth), 0.02, np.float32))
    found, plain = Sighted(QUICK, settings_of(weights), said.of_frames).completed(measured), measured.found
    kept = (plain.depth > 0) & (depth > 0)
    own = float(np.median(np.log(depth[kept] / plain.depth[kept])))
    assert found.log_scale == pytest.approx(own + np.log(larger), abs=0.02)
    assert 0.06 <= found.log_scale_sigma < 0.07, "what frames add is little by the network's own word"
    assert found.depth_source is not None
    assert (found.depth_source == DepthSource.NETWORK).any()


def test_frames_whose_shapes_a_network_does_not_know_say_no_scale(
    clip: TourClip, measured: MatchedClip, true_look: NetworkLook, weights: Path
):
    """Of all frames but three depth bends away on the right, and is a third too large."""
    bend = 1 + 2 * np.clip(np.linspace(-1, 1, SHAPE[1]), 0, None) ** 2
    odd = np.arange(len(clip.rgb)) >= 3
    points = np.where(odd[:, None, None, None], true_look.points * bend[:, None], true_look.points)
    assert true_look.metres is not None
    metres = np.where(odd, 1.3 * true_look.metres, true_look.metres).astype(np.float32)
    said = replace(true_look, points=points.astype(np.float32), metres=metres)
    kinds = {beyond: settings_of(weights, fusion={"max_beyond": beyond}) for beyond in (0.15, 9.0)}
    known, taken = (Sighted(QUICK, kind, said.of_frames).completed(measured) for kind in kinds.values())
    own = Sighted(QUICK, kinds[0.15], true_look.of_frames).completed(measured).log_scale
    assert known.log_scale == pytest.approx(own, abs=0.03)
    assert taken.log_scale > own + 0.1, "all of them together are wrong"


def test_the_networks_focal_length_is_one_more_to_start_from():
    assert with_prior(QUICK, None) is QUICK
    assert with_prior(QUICK, 0.61) is QUICK, "0.6 is tried anyhow"
    assert with_prior(QUICK, 1.2).sparse.further_priors == (1.2,)
    assert with_prior(QUICK, 1.2).decisive() != QUICK.decisive()


def test_a_focal_length_that_frames_disagree_on_is_none(true_look: NetworkLook):
    assert true_look.focal_prior() == pytest.approx(true_look.focal[0])
    assert replace(true_look, focal=np.geomspace(0.3, 2, 9)).focal_prior() is None
    assert replace(true_look, focal=np.full(9, 4.0)).focal_prior() is None
    assert replace(true_look, focal=np.full(9, np.nan)).focal_prior() is None


def test_clips_without_cameras_are_left_out_unless_da3_is_asked(clip: TourClip, weights: Path, tmp_path: Path):
    still = np.repeat(clip.rgb[:1], 4, axis=0)
    with pytest.raises(TooLittleParallax):
        ColmapMogeReconstructor(settings_of(weights)).reconstruct(still, tmp_path)
    with pytest.raises(TooFewRegistered, match="2 frames"):
        ColmapMogeReconstructor(settings_of(weights)).reconstruct(clip.rgb[:2], tmp_path)
    with pytest.raises(SettingsError, match="no_da3"):
        ColmapMogeReconstructor(settings_of(weights, da3_weights=str(tmp_path / "no_da3"))).weights  # noqa: B018


def test_cameras_that_matching_does_not_find_are_da3s_at_the_size_of_the_other_maps(
    clip: TourClip, weights: Path, tmp_path: Path
):
    save_da3(tmp_path, tiny(), TINY.layers, TINY.camera_heads)
    asked = ColmapMogeReconstructor(settings_of(weights, da3_weights=str(tmp_path)))
    (tmp_path / "work").mkdir()
    bare = np.full_like(clip.rgb[:3], 128)
    bare[:, 100:300, 100:400] = np.arange(90, 120, 10)[:, None, None, None]
    assert isinstance(asked, HasLastResort)
    refused = asked.first_look(bare, tmp_path / "look", None).result
    assert isinstance(refused, ClipError), "matching is tried again before a network is asked"
    for attempt in (
        lambda: asked.reconstruct_known(bare, tmp_path / "known", None, Ballot(STRAIGHT, square=False)),
        lambda: asked.reconstruct_walk(bare, tmp_path / "walk", None),
    ):
        with pytest.raises(type(refused)):
            attempt()
    assert asked.may_help([refused.code])
    assert not asked.may_help([refused.code, UnlikelyReconstruction.__name__])
    found = asked.reconstruct(bare, tmp_path / "work")
    assert found.depth.shape == found.confidence.shape == (3, *SHAPE)
    assert found.depth_source is not None
    assert (found.depth_source[found.depth > 0] == DepthSource.NETWORK).all()
    assert "Matching found no cameras" in found.notes[0]
    assert "says nothing of the scale" in found.notes[-1], "networks that know nothing have no shape in common"
    assert set(asked.weights) == {"model.pt", "model.safetensors"}


@pytest.mark.parametrize("unit", [0.5, 3.0])
def test_metres_say_the_scale_of_cameras_that_another_network_has_found(
    clip: TourClip, measured: MatchedClip, true_look: NetworkLook, unit: float
):
    truth = resize_nearest(np.stack([truth.depth for truth in clip.truth]), SHAPE).astype(np.float32)
    poses, focal = np.stack([truth.camera_to_world for truth in clip.truth]), clip.truth[0].intrinsics[0, 0]
    poses[:, :3, 3] /= unit
    found = replace(
        measured.found,
        intrinsics=np.tile(np.array([[focal, 0, 320], [0, focal, 240], [0, 0, 1]], np.float32), (len(truth), 1, 1)),
        camera_to_world=poses.astype(np.float32),
        depth=truth / np.float32(unit),
        confidence=(truth > 0).astype(np.float32),
        registered=np.arange(len(truth)) != 1,
    )
    told = of_another_network(found, true_look.of_frames, 0.15)
    assert told.log_scale == pytest.approx(np.log(unit), abs=0.01)
    assert 0.06 < told.log_scale_sigma < 0.15
    assert "says the scale" in told.notes[-1]
    bent = np.where(np.arange(SHAPE[1]) < SHAPE[1] // 2, found.depth, 3 * found.depth)
    unlike = of_another_network(replace(found, depth=bent), true_look.of_frames, 0.15)
    assert np.isnan(unlike.log_scale), "networks that see different shapes do not speak of one scale"
    silent = of_another_network(found, replace(true_look, metres=None).of_frames, 0.15)
    assert silent.notes == found.notes


def test_surfaces_that_are_seen_at_a_grazing_angle_say_no_scale(true_look: NetworkLook):
    """A floor two below the camera, which looks along it: its rays graze it far away, and meet it at the lower edge."""
    normals = np.zeros_like(true_look.points)
    normals[..., 1] = -1
    frames, focal = np.array([0, 2]), np.array([1.0, 2.0])
    found = replace(true_look, normals=normals).facing(frames, focal)
    assert found is not None
    lowest = (SHAPE[0] / 2 - 0.5) / SHAPE[1]
    expected = [-lowest / np.sqrt(lowest**2 + (0.5 / SHAPE[1]) ** 2 + length**2) for length in focal]
    np.testing.assert_allclose(found[:, -1, SHAPE[1] // 2], expected, rtol=1e-5)
    assert true_look.facing(frames, focal) is None


def test_normals_keep_grazing_surfaces_out_of_the_scale(measured: MatchedClip, true_look: NetworkLook, weights: Path):
    """Everything in the left half is said to graze, and is too far away by a tenth there."""
    left = np.arange(SHAPE[1]) < SHAPE[1] // 2
    ahead, across = np.array([0, 0, -1], np.float32), np.array([0, 1, 0], np.float32)
    far = np.where(left[:, None], 1.1 * true_look.points, true_look.points).astype(np.float32)
    normals = np.broadcast_to(np.where(left[:, None], across, ahead), far.shape).copy()
    kinds = {"with": replace(true_look, points=far, normals=normals), "without": replace(true_look, points=far)}
    settings = settings_of(weights, fusion={"max_beyond": 9.0})
    said = {kind: Sighted(QUICK, settings, one.of_frames).completed(measured).log_scale for kind, one in kinds.items()}
    own = Sighted(QUICK, settings, true_look.of_frames).completed(measured).log_scale
    assert abs(said["with"] - own) < 0.5 * abs(said["without"] - own)


def test_all_attempts_at_a_clip_share_one_look_at_it(clip: TourClip, weights: Path):
    looks = ClipLooks(settings_of(weights))
    first = looks.of(clip.rgb[:3], SHAPE)
    assert looks.of(clip.rgb[:3].copy(), SHAPE) is first
    part = looks.of(clip.rgb[[2, 0]], SHAPE)
    whole = look(clip.rgb[:3], SHAPE, looks.settings)
    for name in ("points", "normals", "mask", "metres", "focal"):
        np.testing.assert_array_equal(getattr(first, name), getattr(whole, name), err_msg=name)
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[[2, 0]], err_msg=name)
    other = looks.of(clip.rgb[2:4], SHAPE)
    assert len(other.points) == 2
    assert looks.of(clip.rgb[:3], SHAPE) is not first, "one clip is kept"


def test_every_frame_is_looked_at_once_and_only_when_it_is_asked_for(clip: TourClip, weights: Path):
    looks = ClipLooks(settings_of(weights))
    asked: list[list[int]] = []
    whole = look(clip.rgb[:5], SHAPE, looks.settings)
    for frames in ([3, 1], [1, 3], [0, 1, 2], [4, 4, 0], [0, 1, 2, 3, 4]):
        with counted_calls(Moge) as calls:
            found = looks.of(clip.rgb[:5], SHAPE, np.array(frames))
        asked.append(calls)
        for name in ("points", "normals", "mask", "metres", "focal"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[frames], err_msg=name)
    assert [len(calls) for calls in asked] == [2, 0, 2, 1, 0]


@pytest.mark.parametrize("focal_prior", [True, False])
def test_frames_without_a_camera_and_clips_without_cameras_are_not_looked_at_where_depth_alone_is_wanted(
    clip: TourClip, measured: MatchedClip, weights: Path, tmp_path: Path, *, focal_prior: bool
):
    asked = ColmapMogeReconstructor(settings_of(weights, focal_prior=focal_prior))
    still = np.repeat(clip.rgb[:1], 4, axis=0)
    with counted_calls(Moge) as calls, pytest.raises(TooLittleParallax):
        asked.reconstruct(still, tmp_path)
    assert len(calls) == int(focal_prior), "four frames that are one are looked at once"
    registered = np.arange(len(clip.rgb)) % 3 != 0
    some = replace(measured.model, registered=registered)
    rows: list[list[int]] = []

    def look_at(frames: NDArray[np.int64]) -> NetworkLook:
        rows.append(frames.tolist())
        return look(clip.rgb[frames], SHAPE, asked.settings)

    Sighted(QUICK, asked.settings, look_at).completed(ColmapReconstructor(QUICK).measured(clip.rgb, some))
    assert rows == [np.flatnonzero(registered).tolist()]


@pytest.mark.parametrize(("focal_prior", "expected"), [(True, 14), (False, 10)])
def test_ten_frames_are_asked_for_metres_alone_where_none_was_looked_at(
    weights: Path, tmp_path: Path, *, focal_prior: bool, expected: int
):
    save_da3(tmp_path, tiny(), TINY.layers, TINY.camera_heads)
    asked = ColmapMogeReconstructor(settings_of(weights, da3_weights=str(tmp_path), focal_prior=focal_prior))
    noise = np.random.default_rng(0).integers(0, 256, (14, 480, 640, 3), np.uint8)
    (tmp_path / "work").mkdir()
    with counted_calls(Moge) as calls:
        asked.last_resort(noise, tmp_path / "work", "no cameras")
    assert len(calls) == expected


def test_clips_that_are_not_to_be_trusted_are_left_out_whatever_network_is_asked(
    clip: TourClip, weights: Path, tmp_path: Path
):
    save_da3(tmp_path, tiny(), TINY.layers, TINY.camera_heads)
    sure = QUICK.model_copy(update={"trust": TrustSettings(min_probability=1.0)})
    asked = ColmapMogeReconstructor(settings_of(weights, colmap=sure, da3_weights=str(tmp_path)))
    (tmp_path / "work").mkdir()
    with pytest.raises(UnlikelyReconstruction):
        asked.reconstruct(clip.rgb, tmp_path / "work")


def test_weights_that_are_a_web_page_or_of_another_family_are_a_matter_of_settings(clip: TourClip, tmp_path: Path):
    page = tmp_path / "model.pt"
    page.write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(SettingsError, match=r"model\.pt"):
        look(clip.rgb[:1], SHAPE, settings_of(page))
    torch.save({"model": {"pos_embed": torch.zeros(3)}}, page)
    with pytest.raises(SettingsError, match="MoGe-2"):
        look(clip.rgb[:1], SHAPE, settings_of(page))


@pytest.mark.parametrize("runs_out", RUN_OUT)
def test_a_device_too_small_for_one_picture_is_a_matter_of_settings(
    clip: TourClip, weights: Path, runs_out: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("models.moge.network.Moge.forward", lambda *_, **__: runs_out())
    with pytest.raises(SettingsError, match="not even one picture fits"):
        look(clip.rgb[:1], SHAPE, settings_of(weights))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
