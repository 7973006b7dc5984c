"""Recipe ``moge``: depth of single pictures, scale with a deviation, lens and mask (after Wang et al., 2025).

What is learned of depth z is log(z / f), f the focal length in half diagonals: see ``models.moge.small``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.imagenet.efficientnet_lite import EfficientNetLite0
from models.moge import Moge
from models.moge.small import SmallMoge, deviation
from pipeline.contract.errors import SettingsError
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
        """Return the network that the training begins with; by default its trunk knows ImageNet.

        Raises:
            WeightsUnavailable: the package with the trunk's weights is not installed, or the weights are not there.
            SettingsError: it is to begin with weights of another network.
        """
        network = SmallMoge(self.settings.network)
        if self.settings.start is not None:
            begun = Moge.load(self.settings.start)
            if not isinstance(begun, SmallMoge) or begun.config != network.config:
                raise SettingsError(f"{self.settings.start} holds another network than this recipe's")
            network.load_state_dict(begun.state_dict())
            return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
        known = EfficientNetLite0.load().state_dict()
        trunk = network.encoder.backbone
        trunk.load_state_dict({name: known[name] for name in trunk.state_dict()})
        for parameter in network.picture_head[-1].parameters():
            nn.init.zeros_(parameter)
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
        total: Tensor = (
            left.abs().sum() / valid.sum().clamp(min=1)
            + settings.slope_weight * _slopes(left, log_depth, valid)
            + settings.mask_weight * functional.binary_cross_entropy_with_logits(maps[:, 1], valid.float())
            + settings.scale_weight * _laplace(log_scale - offset, log_sigma)
            + settings.focal_weight * _laplace(log_focal - samples.focal.log(), log_focal_sigma)
        )
        return total

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


@dataclass(frozen=True)
class PictureErrors:
    """What a network is off by in n pictures, each (n,) float64.

    depth: mean error after the median ratio. near: share of pixels within 25 % then. scale, focal: of the logarithm,
    that of scale where the lens is known. stated: deviation of scale that the network says.
    """

    depth: NDArray[np.float64]
    near: NDArray[np.float64]
    scale: NDArray[np.float64]
    stated: NDArray[np.float64]
    focal: NDArray[np.float64]

    @classmethod
    def together(cls, parts: Sequence["PictureErrors"]) -> "PictureErrors":
        """Put the errors of several sets of pictures into one."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def scores(self) -> dict[str, float]:
        """Return means of depth's errors, medians of scale's and the lens'; ``over stated``: deviations of scale."""
        return {
            "AbsRel": float(self.depth.mean()),
            "delta < 1.25": float(self.near.mean()),
            "scale": float(np.median(np.abs(self.scale))),
            "bias": float(np.median(self.scale)),
            "over stated": float(np.std(self.scale / self.stated)),
            "stated": float(self.stated.mean()),
            "focal": float(np.median(np.abs(self.focal))),
        }


def depth_scores(network: nn.Module, samples: DepthSamples) -> dict[str, float]:
    """Compare what a network says of pictures with the truth, as ``PictureErrors.scores``."""
    return picture_errors(network, samples).scores()


def picture_errors(network: nn.Module, samples: DepthSamples) -> PictureErrors:
    """Return what a network is off by in each of some pictures."""
    found: list[tuple[float, ...]] = []
    for start in range(0, len(samples), 8):
        some = samples.rows(slice(start, start + 8))
        maps, of_picture = network.look(some.pictures)  # type: ignore[operator]
        valid, log_depth = _halved(some.depth, some.focal, (maps.shape[-2], maps.shape[-1]))
        stated = deviation(of_picture[:, 1])
        for row, known in enumerate(valid):
            off = (maps[row, 0] - log_depth[row])[known]
            ratio = (off - off.median()).exp()
            near = (torch.maximum(ratio, 1 / ratio) < 1.25).double().mean()
            scale, focal = of_picture[row, 0] + off.median(), of_picture[row, 2] - some.focal[row].log()
            found.append(tuple(map(float, ((ratio - 1).abs().mean(), near, scale, stated[row], focal))))
    return PictureErrors(*np.array(found).T)


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
