"""Recipe ``moge``: depth of single pictures up to scale, scale with a deviation, lens and mask (after Wang et al., 2025).

What is learned of depth z is log(z / f), f the focal length in half diagonals of the picture: see ``models.moge.small``.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.imagenet.efficientnet_lite import EfficientNetLite0
from models.moge.small import SmallMoge, deviation
from pipeline.tours.seeds import HELD_OUT_SEEDS
from pipeline.tours.views import RenderedViews
from pipeline.tours.views.shots import tour_shots
from training.small.augment import change_pictures, mirror
from training.small.houses import varied_house
from training.small.samples import Samples
from training.small.settings import MogeTrainingSettings
from training.small.viewpoints import cameras_at, renderer_of, room_poses

STEPS = (1, 2, 4, 8)
"""Distances between pixels whose depths are compared."""

EDGE = 0.1
"""Difference of log depth per pixel above which all steps are edges, and count alike."""


@dataclass(frozen=True)
class DepthSamples(Samples):
    """pictures: (n, 3, h, w) uint8 RGB; depth: (n, h, w) float32, metres, 0 = none; focal: (n,), half diagonals."""

    pictures: Tensor
    depth: Tensor
    focal: Tensor


class MogeRecipe:
    """Log depth after the best offset a picture, as L1; that offset as scale, with the deviation that explains it."""

    name = "moge"

    def __init__(self, settings: MogeTrainingSettings) -> None:
        self.settings = settings

    def network(self) -> nn.Module:
        """Return a network whose trunk knows ImageNet.

        Raises:
            WeightsUnavailable: the package with the trunk's weights is not installed.
        """
        network = SmallMoge(self.settings.network)
        known = EfficientNetLite0.load().state_dict()
        trunk = network.encoder.backbone
        trunk.load_state_dict({name: known[name] for name in trunk.state_dict()})
        nn.init.zeros_(network.picture_head[-1].weight)
        nn.init.zeros_(network.picture_head[-1].bias)
        # a CPU convolves it in two thirds of the time
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def network_config(self) -> str:
        """Return the network's sizes as JSON."""
        return self.settings.network.model_dump_json()

    def chunk(self, index: int) -> DepthSamples:
        """Return views of the rooms of a few houses."""
        settings, parts = self.settings, []
        factor = 2 if settings.oversampled else 1
        lens = settings.viewpoints
        large = lens.model_copy(update={"height": factor * lens.height, "width": factor * lens.width})
        for number in range(settings.houses_a_chunk):
            rng = np.random.default_rng((settings.loop.seed, index, number))
            house = varied_house(rng, settings.variety, settings.texel, garden=False)
            poses = room_poses(rng, house, settings.views_a_house, lens)
            views = renderer_of(house, settings.loop).render(cameras_at(rng, poses, large))
            parts.append(depth_samples(views, factor))
        return DepthSamples.concatenate(parts)

    def held_out(self) -> DepthSamples:
        """Return frames of the held-out tours' rooms."""
        height = self.settings.network.short_side
        return depths_of_tours(tuple(HELD_OUT_SEEDS), 6, height, round(height * 4 / 3))

    def loss(self, network: nn.Module, samples: DepthSamples, generator: torch.Generator) -> Tensor:
        """Return the loss of changed and mirrored pictures."""
        settings = self.settings
        mirrored = torch.rand(len(samples), generator=generator, device=samples.device) < 0.5
        depth = mirror(samples.depth, mirrored)
        pictures = mirror(samples.pictures, mirrored).float()
        maps, of_picture = network.look(change_pictures(pictures, settings.augment, generator))  # type: ignore[operator]
        valid, log_depth = _halved(depth, samples.focal, (maps.shape[-2], maps.shape[-1]))
        log_scale, log_sigma, log_focal, log_focal_sigma = of_picture.unbind(1)
        apart = (log_depth - maps[:, 0]).masked_fill(~valid, torch.nan)
        offset = apart.detach().flatten(1).nanmedian(dim=1).values.nan_to_num()
        left = (apart - offset[:, None, None]).nan_to_num()
        return (
            left.abs().sum() / valid.sum().clamp(min=1)
            + settings.slope_weight * _slopes(left, log_depth, valid)
            + settings.mask_weight * functional.binary_cross_entropy_with_logits(maps[:, 1], valid.float())
            + settings.scale_weight * _laplace(log_scale - offset, log_sigma)
            + settings.focal_weight * _laplace(log_focal - samples.focal.log(), log_focal_sigma)
        )

    def scores(self, network: nn.Module, held_out: DepthSamples) -> dict[str, float]:
        """AbsRel after one scale a picture, error of scale and lens."""
        return depth_scores(network, held_out)


def depth_samples(views: RenderedViews, factor: int) -> DepthSamples:
    """Make samples of views rendered ``factor`` times as large: smooth pictures, depth of single pixels."""
    pictures = functional.avg_pool2d(views.pictures.float(), factor).round().to(torch.uint8).cpu()
    height, width = views.depth.shape[1:]
    focal = views.intrinsics[:, 0, 0].cpu() / (0.5 * float(np.hypot(height, width)))
    return DepthSamples(pictures, views.depth[:, ::factor, ::factor].cpu(), focal)


def depths_of_tours(seeds: tuple[int, ...], frames: int, height: int, width: int) -> DepthSamples:
    """Return frames of every indoor shot of tours, rendered at twice the size and halved, as video is."""
    shots = [shot.views for seed in seeds for shot in tour_shots(seed, frames, 2 * height, 2 * width, garden=False)]
    return DepthSamples.concatenate([depth_samples(shot, 2) for shot in shots])


def depth_scores(network: nn.Module, samples: DepthSamples) -> dict[str, float]:
    """Compare what a network says of pictures with the truth.

    AbsRel: of depth after the median ratio. delta: share of pixels within 25 %. scale: median absolute error of the
    logarithm of scale, the lens known. bias: its median. spread, stated: standard deviation of that error over its
    stated one, and the mean of the latter. focal: median absolute error of the logarithm.
    """
    errors, near, scale, sigma, focal = [], [], [], [], []
    for start in range(0, len(samples), 8):
        some = samples.rows(slice(start, start + 8))
        maps, of_picture = network.look(some.pictures)  # type: ignore[operator]
        valid, log_depth = _halved(some.depth, some.focal, (maps.shape[-2], maps.shape[-1]))
        for row, known in enumerate(valid):
            off = (maps[row, 0] - log_depth[row])[known]
            ratio = (off - off.median()).exp()
            errors.append(float((ratio - 1).abs().mean()))
            near.append(float((torch.maximum(ratio, 1 / ratio) < 1.25).float().mean()))
            scale.append(float(of_picture[row, 0] + off.median()))
            sigma.append(float(deviation(of_picture[row, 1])))
            focal.append(abs(float(of_picture[row, 2] - some.focal[row].log())))
    return {
        "AbsRel": float(np.mean(errors)),
        "delta < 1.25": float(np.mean(near)),
        "scale": float(np.median(np.abs(scale))),
        "bias": float(np.median(scale)),
        "over stated": float(np.std(np.array(scale) / np.array(sigma))),
        "stated": float(np.mean(sigma)),
        "focal": float(np.median(focal)),
    }


def _halved(depth: Tensor, focal: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return where there is depth (n, h, w), and log(z / f) there, at another size."""
    small = functional.interpolate(depth[:, None], size, mode="nearest-exact")[:, 0]
    valid = small > 0
    return valid, (torch.where(valid, small, 1.0) / focal[:, None, None]).log()


def _slopes(left: Tensor, log_depth: Tensor, valid: Tensor) -> Tensor:
    """Mean difference of what is left between pixels that are near one another; across edges no more than along."""
    losses = []
    for step in STEPS:
        for axis in (1, 2):
            length = left.shape[axis] - step
            both = valid.narrow(axis, 0, length) & valid.narrow(axis, step, length)
            jump = (log_depth.narrow(axis, step, length) - log_depth.narrow(axis, 0, length)).abs()
            change = (left.narrow(axis, step, length) - left.narrow(axis, 0, length)).abs()
            counted = both & (jump < EDGE * step)
            losses.append((change * counted).sum() / counted.sum().clamp(min=1))
    return torch.stack(losses).mean()


def _laplace(error: Tensor, raw: Tensor) -> Tensor:
    """Negative log likelihood of errors (n,) under Laplace distributions whose deviations (n,) the network says."""
    sigma = deviation(raw)
    return (2**0.5 * error.abs() / sigma + sigma.log()).mean()
