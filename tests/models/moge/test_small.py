"""The small network of MoGe's kind: shapes, what a known lens does, and files that are not one."""

import math
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import UnusableInput, WrongWeights
from models.imagenet.efficientnet_lite import PYRAMID, EfficientNetLite0, LiteTrunk
from models.moge import Moge, SmallMoge, metric_views
from models.moge.raw import picture_coordinates
from models.moge.small import SmallMogeConfig
from tests.models.hostile import WEB_PAGE
from tests.models.moge.networks import pictures

TINY = SmallMogeConfig(short_side=32, widths=(8, 8, 8, 8, 4))


@cache
def tiny_small() -> SmallMoge:
    torch.manual_seed(0)
    return SmallMoge(TINY).eval().requires_grad_(requires_grad=False)


def saved(path: Path, config: str | None = TINY.model_dump_json(), **changed: torch.Tensor) -> Path:
    state = {name: tensor.half().clone() for name, tensor in tiny_small().state_dict().items() if tensor.ndim}
    save_file({**state, **changed}, path, metadata={} if config is None else {"config": config})
    return path


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (45, 61)])
def test_what_it_says_has_the_size_of_the_pictures(height: int, width: int):
    raw = tiny_small()(pictures(("a", height, width), ("b", height, width)))
    assert raw.points.shape == (2, height, width, 3)
    assert raw.mask is not None
    assert raw.mask.shape == (2, height, width)
    assert raw.normal is None
    assert not raw.shifted
    for one in (raw.metric_scale, raw.scale_sigma):
        assert one is not None
        assert one.shape == (2,)
        assert (one > 0).all()
    assert tiny_small()(pictures(("a", height, width)), mask=False).mask is None


def test_pictures_do_not_influence_each_other_and_twice_is_the_same():
    both, alone = tiny_small()(pictures(("a", 48, 64), ("b", 48, 64))), tiny_small()(pictures(("b", 48, 64)))
    assert torch.allclose(both.points[1], alone.points[0], rtol=1e-4, atol=1e-5)
    assert torch.equal(tiny_small()(pictures(("b", 48, 64))).points, alone.points)


def test_points_fall_into_their_pixels_under_its_own_lens():
    views = metric_views(tiny_small()(pictures(("a", 48, 64))), masked=False)
    place = picture_coordinates((48, 64), (48, 64), torch.device("cpu"))
    seen = views.points[0, ..., :2] / views.points[0, ..., 2:] * views.focal
    assert torch.allclose(seen, place, atol=1e-4)
    assert float(views.shift) == 0


def test_under_a_known_lens_depth_changes_by_its_factor_and_the_rest_stays():
    raw = tiny_small()(pictures(("a", 48, 64)))
    one, two = (metric_views(raw, fov_x=2 * math.degrees(math.atan(0.5 / focal)), masked=False) for focal in (0.6, 1.2))
    assert torch.allclose(two.depth, 2 * one.depth, rtol=1e-4)
    assert torch.allclose(two.points[..., :2], one.points[..., :2], rtol=1e-3, atol=1e-5)
    assert one.intrinsics[0, 0, 0] == pytest.approx(0.6 * 64)
    assert float(two.metric_scale) == float(one.metric_scale)


def test_it_is_loaded_as_moge_and_its_trunk_is_that_of_imagenet(tmp_path: Path):
    loaded = Moge.load(saved(tmp_path / "x.safetensors"))
    assert isinstance(loaded, SmallMoge)
    assert loaded.config == TINY
    assert not loaded.training
    assert LiteTrunk().state_dict().keys() < EfficientNetLite0().state_dict().keys()
    maps = loaded.encoder(torch.zeros(1, 3, 64, 96))
    assert tuple(one.shape[1] for one in maps) == PYRAMID
    assert [one.shape[-1] for one in maps] == [3, 6, 12, 24, 48]
    assert torch.equal(maps[0], loaded.encoder.backbone.blocks(torch.zeros(1, 3, 64, 96), 16))
    assert not loaded.train().encoder.training, "its statistics stay those of its own training"


def test_files_that_are_not_one_are_refused(tmp_path: Path):
    head = "maps_head.weight"
    for config in ("{}", '{"short_side": 1}', "no json", '{"widths": [8, 8, 8, 8, 4], "more": 1}'):
        with pytest.raises(WrongWeights):
            Moge.load(saved(tmp_path / "x.safetensors", config))
    with pytest.raises(WrongWeights, match="not finite"):
        Moge.load(saved(tmp_path / "x.safetensors", **{head: torch.full((2, 4, 3, 3), torch.nan)}))
    with pytest.raises(WrongWeights, match="another shape"):
        Moge.load(saved(tmp_path / "x.safetensors", **{head: torch.zeros(2, 5, 3, 3)}))
    with pytest.raises(WrongWeights, match="unexpected"):
        Moge.load(saved(tmp_path / "x.safetensors", strange=torch.zeros(1)))
    with pytest.raises(WrongWeights, match="MoGe-2"):
        Moge.load(saved(tmp_path / "x.safetensors", None))
    (tmp_path / "x.safetensors").write_bytes(WEB_PAGE if isinstance(WEB_PAGE, bytes) else WEB_PAGE.encode())
    with pytest.raises(WrongWeights):
        Moge.load(tmp_path / "x.safetensors")


def test_what_is_no_picture_is_refused():
    with pytest.raises(UnusableInput):
        tiny_small()(torch.zeros(3, 48, 64))
    with pytest.raises(UnusableInput):
        tiny_small()(torch.full((1, 3, 48, 64), torch.nan))
