"""MoGe-2 against what upstream answered (microsoft/MoGe, MIT)."""

import hashlib
import json
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.errors import UnusableInput
from models.moge import Moge, MogeConfig, MogeRaw, metric_views
from models.moge.name_seeded import TINY_MOGE, name_seeded_moge
from models.moge.network import remapped
from models.moge.raw import picture_coordinates
from tests.models.moge.networks import pictures, tiny_moge
from tests.models.parity import Reference
from tests.paths import FIXTURES

REFERENCE = Reference(FIXTURES / "moge_tiny.npz")
CASES: dict[str, dict[str, Any]] = json.loads(str(REFERENCE.arrays["cases"]))
MEDIAN, WORST, WORST_NORMAL = 2e-6, 2e-5, 5e-4
"""A norm's epsilon gives 1e-5 rms, a tanh GELU 2e-4; normals are worst where their vector is short."""

LARGE = MogeConfig(
    width=1024, depth=24, taps=(5, 11, 17, 23), widths=(1024, 256, 128, 64, 32), neck_blocks=(0, 2, 2, 2, 0)
)
LAYOUTS = [
    (MogeConfig(width=384, widths=(384, 256, 128, 64, 32)), 35_103_656,
     "b6a394e21f4bf1071f82b46100f457aafa5c4e7948cc727da46b5ae42ffb9dff"),
    (MogeConfig(), 104_743_592, "27dcd4e64a9b5dada0902aa114505a47be6aaac1e9a5c7b7245fe6dc1aa2e00d"),
    (LARGE, 330_901_544, "cf14560eaaed93c2054361953a7fafe277c5642dc96fa86fc0f427e7c482d97d"),
    (LARGE.model_copy(update={"maps": ("points", "mask")}), 326_209_221,
     "b7a2fdf396ba37c314fc4490fcee94bf9391bf52473da92787e6e44acf85808c"),
]  # fmt: skip
"""Configurations of S, B, L and L without normals, their parameters, and SHA-256 of sorted names and shapes."""


def raw_answers(case: str) -> tuple[MogeRaw, dict[str, Tensor]]:
    return _looked(tuple(map(tuple, CASES[case]["pictures"])), CASES[case]["options"].get("num_tokens"))


@cache
def _looked(named: tuple[tuple[str, int, int], ...], tokens: int | None) -> tuple[MogeRaw, dict[str, Tensor]]:
    network = tiny_moge()
    kept: dict[str, Any] = {}
    hooks = [
        _keep(block, f"backbone/block{index}", kept) for index, block in enumerate(network.encoder.backbone.blocks)
    ]
    hooks.append(_keep(network.encoder, "encoder", kept))
    hooks.append(_keep(network.neck, "neck", kept))
    hooks += [_keep(network.get_submodule(f"{name}_head"), f"{name}_head", kept) for name in network.config.maps]
    with torch.inference_mode():
        raw = network(pictures(*named), tokens=tokens)
    for hook in hooks:
        hook.remove()
    features, class_token = kept.pop("encoder")
    levels = {f"neck/level{level}": one for level, one in enumerate(kept.pop("neck"))}
    heads = {f"{name}_head/level4": kept.pop(f"{name}_head")[-1] for name in network.config.maps}
    assert raw.metric_scale is not None
    scale = {"scale_head/log": raw.metric_scale.log()[:, None]}
    return raw, kept | levels | heads | scale | {"encoder/features": features, "encoder/class_token": class_token}


def _keep(module: nn.Module, name: str, kept: dict[str, Any]) -> torch.utils.hooks.RemovableHandle:
    return module.register_forward_hook(lambda _module, _inputs, output: kept.__setitem__(name, output))


def assert_upstreams(case: str, ours: dict[str, Tensor], least: int) -> None:
    compared, single = 0, CASES[case]["options"].get("single", False)
    for name in REFERENCE.stages(case):
        stage = name.removeprefix(f"{case}/")
        if stage not in ours:
            continue
        value = ours[stage][0] if single and stage.startswith("out/") else ours[stage]
        if stage == "out/mask":
            assert REFERENCE.equal(name, value)
        else:
            median, worst = REFERENCE.error(name, value)
            assert median < MEDIAN, name
            assert worst < (WORST_NORMAL if "normal" in stage else WORST), name
        compared += 1
    assert compared >= least


@pytest.mark.parametrize("case", CASES)
def test_every_stage_equals_upstream_to_float32_noise(case: str):
    raw, stages = raw_answers(case)
    values = {f"raw/{name}": getattr(raw, name) for name in ("points", "normal", "mask", "metric_scale")}
    assert_upstreams(case, stages | values, least=4)


@pytest.mark.parametrize("case", CASES)
def test_metric_geometry_is_upstreams_given_its_focal_length_and_shift(case: str):
    raw, options = raw_answers(case)[0], CASES[case]["options"]
    found = metric_views(
        raw,
        solved=(torch.tensor(CASES[case]["focal"]), torch.tensor(CASES[case]["shift"])),
        project=options.get("force_projection", True),
        masked=options.get("apply_mask", True),
    )
    values = {f"out/{name}": getattr(found, name) for name in ("points", "depth", "normal", "mask")}
    assert_upstreams(case, values | {"out/intrinsics": found.normalised_intrinsics}, least=5)


@pytest.mark.parametrize("case", CASES)
def test_focal_length_and_shift_are_about_where_upstream_stops_early(case: str):
    found = metric_views(raw_answers(case)[0], fov_x=CASES[case]["options"].get("fov_x"))
    tolerance = 1e-2 if case == "small" else 3e-3
    assert torch.allclose(found.focal, torch.tensor(CASES[case]["focal"]), atol=tolerance)
    assert torch.allclose(found.shift, torch.tensor(CASES[case]["shift"]), atol=2 * tolerance)


@pytest.mark.parametrize(("config", "parameters", "layout"), LAYOUTS)
def test_layouts_are_the_released_ones(config: MogeConfig, parameters: int, layout: str):
    with torch.device("meta"):
        network = Moge(config)
    state = network.state_dict()
    listing = "\n".join(f"{name} {list(state[name].shape)}" for name in sorted(state))
    assert hashlib.sha256(listing.encode()).hexdigest() == layout
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


@pytest.mark.parametrize(
    ("picture", "tokens", "level", "grid"),
    [
        ((480, 640), 1200, 9, (30, 40)),
        ((480, 640), 1800, 9, (37, 49)),
        ((480, 640), None, 9, (52, 69)),
        ((480, 640), None, 0, (30, 40)),
        ((720, 1280), 1200, 9, (26, 46)),
        ((1280, 720), 1200, 9, (46, 26)),
    ],
)
def test_the_grid_of_patches_follows_the_picture(
    picture: tuple[int, int], tokens: int | None, level: int, grid: tuple[int, int]
):
    assert tiny_moge().token_grid(picture, tokens=tokens, level=level) == grid


def test_heads_that_nobody_asks_for_are_left_out_and_change_nothing():
    images = pictures(("g", 48, 90))
    whole, bare = tiny_moge()(images, tokens=100), tiny_moge()(images, tokens=100, normals=False, mask=False)
    assert bare.normal is None
    assert bare.mask is None
    assert torch.equal(whole.points, bare.points)
    found = metric_views(bare)
    assert found.normal is None
    assert found.depth.isfinite().all()  # nothing is masked without a mask


def test_pictures_of_a_batch_do_not_meet():
    images = pictures(("d", 60, 80), ("e", 60, 80))
    both, alone = tiny_moge()(images, tokens=100), tiny_moge()(images[1:], tokens=100)
    assert torch.allclose(both.points[1:], alone.points, rtol=1e-4, atol=1e-5)


def test_what_the_network_said_is_left_as_it_was():
    raw = raw_answers("small")[0]
    before = raw.points.clone()
    metric_views(raw)
    assert torch.equal(raw.points, before)


def test_intrinsics_are_in_pixels_and_points_project_to_their_pixels():
    found = metric_views(raw_answers("odd")[0], masked=False)
    seen = found.points[0] @ found.intrinsics[0].T
    v, u = torch.meshgrid(torch.arange(333) + 0.5, torch.arange(517) + 0.5, indexing="ij")
    assert torch.allclose(seen[..., 0] / seen[..., 2], u, atol=1e-2)
    assert torch.allclose(seen[..., 1] / seen[..., 2], v, atol=1e-2)


@pytest.mark.parametrize("fov", [0.0, 180.0, -60.0, float("nan"), torch.tensor([60.0, 60.0, 60.0])])
def test_a_field_of_view_that_no_camera_has_is_refused(fov: float | Tensor):
    with pytest.raises(UnusableInput, match="between 0 and 180 degrees"):
        metric_views(raw_answers("batch2")[0], fov_x=fov)


def test_coordinates_are_those_of_the_picture_not_of_the_grid():
    found = picture_coordinates((2, 2), (300, 400), torch.device("cpu"))
    assert torch.allclose(found[..., 0], torch.tensor([[-0.4, 0.4], [-0.4, 0.4]]))
    assert torch.allclose(found[..., 1], torch.tensor([[-0.3, -0.3], [0.3, 0.3]]))


def test_remaps():
    raw = torch.tensor([0.5, -0.5, 1.0])
    assert torch.equal(remapped(raw, "linear"), raw)
    assert torch.allclose(
        remapped(raw, "exp"), torch.tensor([0.5, -0.5, 1.0]) * torch.tensor([2.71828, 2.71828, 2.71828])
    )
    assert torch.allclose(remapped(raw, "sinh"), raw.sinh())
    assert remapped(raw, "sinh_exp")[2] == raw[2].exp()


def test_multiplying_in_bfloat16_answers_in_float32():
    images = pictures(("g", 48, 90))
    exact, found = (
        tiny_moge()(images, tokens=100),
        name_seeded_moge(TINY_MOGE).multiply_in(torch.bfloat16)(images, tokens=100),
    )
    assert found.points.dtype == torch.float32
    assert 0 < (found.points - exact.points).abs().median() < 0.05


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 28, 28), r"pictures must be \(B, 3, H, W\)"),
        (torch.zeros(1, 4, 28, 28), "pictures must be"),
        (torch.zeros(0, 3, 28, 28), "pictures must be"),
        (torch.zeros(1, 3, 28, 28, dtype=torch.uint8), "pictures must be"),
        (torch.full((1, 3, 28, 28), torch.inf), "not finite"),
        (torch.zeros(1, 3, 1, 9000), "too flat"),
    ],
)
def test_pictures_that_it_cannot_take_are_refused(images: Tensor, message: str):
    with pytest.raises(UnusableInput, match=message):
        tiny_moge()(images, tokens=100)


def test_a_level_that_there_is_not_is_refused():
    with pytest.raises(UnusableInput, match="0 to 9"):
        tiny_moge()(pictures(("g", 48, 90)), level=10)
