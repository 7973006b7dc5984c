"""Recipe ``dust3r``: confidence-weighted pointmap regression on pairs (Wang et al., CVPR 2024, section 3.2)."""

import numpy as np
import torch
from torch import Tensor, nn

from models.dust3r import Dust3r, Dust3rConfig, PointMap
from models.dust3r.heads import LinearHead
from pipeline.contract.errors import SettingsError
from pipeline.tours.seeds import HELD_OUT_SEEDS
from pipeline.tours.views import Cameras
from pipeline.tours.views.shots import tour_shots
from training.small.augment import change_pictures
from training.small.houses import varied_house
from training.small.pairs import PairSamples, overlapping_pairs, pair_samples, walk_poses
from training.small.settings import Dust3rTrainingSettings, ViewpointSettings
from training.small.viewpoints import cameras_at, renderer_of

HELD_OUT_PAIRS = ((0, 2), (1, 5), (3, 4))


class Dust3rRecipe:
    """Both directions of every pair are learned at once: each view is encoded once and decoded in both parts."""

    name = "dust3r"

    def __init__(self, settings: Dust3rTrainingSettings) -> None:
        self.settings = settings

    def network(self) -> nn.Module:
        """Return the network that the training begins with.

        Raises:
            SettingsError: it is to begin with weights of a network with other sizes.
            WrongWeights, WeightsUnavailable: those weights cannot be read.
        """
        network = fresh_network(self.settings.network)
        if self.settings.start is not None:
            begun_with(network, self.settings.start)
        if self.settings.fresh_confidence:
            forget_confidence(network)
        network.mask_token.requires_grad = False  # of released checkpoints; no loss here reads it
        return network

    def network_config(self) -> str:
        """Return the network's sizes as JSON, as the hub's ``config.json`` names them."""
        return self.settings.network.model_dump_json()

    def chunk(self, index: int) -> PairSamples:
        """Return overlapping pairs of walks through a few houses.

        Raises:
            SettingsError: no views overlap as much as is asked for.
        """
        settings, parts = self.settings, []
        for number in range(settings.houses_a_chunk):
            rng = np.random.default_rng((settings.loop.seed, index, number))
            house = varied_house(rng, settings.variety, settings.texel, garden=False)
            renderer = renderer_of(house, settings.loop)
            for poses in walk_poses(rng, house, settings.walks_a_house, settings.pairs, self._twice_as_large):
                walk = renderer.render(
                    self._off_centre(rng, cameras_at(rng, poses, self._twice_as_large, one_lens=True))
                )
                chosen = overlapping_pairs(rng, walk, settings.pairs)
                if chosen:
                    parts.append(pair_samples(walk, chosen))
        if not parts:
            raise SettingsError(f"chunk {index} has no pair with an overlap of {settings.pairs.overlap}; widen it")
        return PairSamples.concatenate(parts)

    def held_out(self) -> PairSamples:
        """Return pairs of frames of the held-out tours."""
        return pairs_of_tours(tuple(HELD_OUT_SEEDS), *self.settings.network.img_size)

    def loss(self, network: nn.Module, samples: PairSamples, generator: torch.Generator) -> Tensor:
        """Confidence-weighted distance of normalised points, of both views and both directions."""
        pictures = samples.pictures.flatten(0, 1).float()
        changed = change_pictures(pictures, self.settings.augment, generator).div(127.5).sub(1)
        first, second = changed.reshape(-1, 2, *changed.shape[1:]).unbind(dim=1)
        tokens = network.encode(first), network.encode(second)  # type: ignore[operator]
        losses = [
            self._pair_loss(network.decode(*views), truth)  # type: ignore[operator]
            for views, truth in ((tokens, samples), (tokens[::-1], samples.turned_round()))
        ]
        return torch.stack(losses).mean()

    def scores(self, network: nn.Module, held_out: PairSamples) -> dict[str, float]:
        """AbsRel of both depths of a pair after one scale, and delta < 1.25."""
        depth = predicted_depth(network, held_out)
        return depth_scores(depth, held_out.depth)

    @property
    def _twice_as_large(self) -> ViewpointSettings:
        height, width = self.settings.network.img_size
        return self.settings.viewpoints.model_copy(update={"height": 2 * height, "width": 2 * width})

    def _off_centre(self, rng: np.random.Generator, cameras: Cameras) -> Cameras:
        """Move the optical axes, as a cut out of a larger picture has it."""
        limit = self.settings.off_centre * np.array([cameras.width, cameras.height])
        intrinsics = cameras.intrinsics.clone()
        intrinsics[:, :2, 2] += torch.from_numpy(rng.uniform(-limit, limit, (len(cameras), 2))).float()
        return Cameras(intrinsics, cameras.camera_to_world, cameras.height, cameras.width)

    def _pair_loss(self, predicted: tuple[PointMap, PointMap], samples: PairSamples) -> Tensor:
        valid = samples.depth > 0
        truth = torch.stack(samples.pointmaps(), dim=1)
        points = torch.stack([view.points for view in predicted], dim=1)
        confidence = torch.stack([view.confidence for view in predicted], dim=1)
        distance = (_normalised(points, valid) - _normalised(truth, valid)).norm(dim=-1)
        losses = confidence * distance - self.settings.confidence_weight * confidence.log()
        mean: Tensor = (losses * valid).sum() / valid.sum()
        return mean


def fresh_network(config: Dust3rConfig) -> Dust3r:
    """Return an untrained network whose points start near one another and away from the camera."""
    network = Dust3r(config)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    if network.positions is not None:
        nn.init.normal_(network.positions, std=0.02)
    for head in (network.downstream_head1, network.downstream_head2):
        if config.head_type == "linear":
            _start_ahead(head.proj)  # type: ignore[arg-type]
    return network


def begun_with(network: Dust3r, weights: str) -> None:
    """Give a network the weights of another that has seen pictures of another size.

    Raises:
        SettingsError: the other network has other sizes beside that of its pictures.
        WrongWeights, WeightsUnavailable: the weights cannot be read.
    """
    known = Dust3r.load(weights)
    if known.config.model_copy(update={"img_size": network.config.img_size}) != network.config:
        raise SettingsError(f"{weights} holds a network with other sizes than this recipe's: {known.config}")
    network.load_state_dict(known.state_dict())


def forget_confidence(network: Dust3r) -> None:
    """Let the linear heads begin with a confidence of 2 everywhere, whatever they have learned of it."""
    for head in (network.downstream_head1, network.downstream_head2):
        if isinstance(head, LinearHead):
            with torch.no_grad():
                head.proj.weight.view(4, -1, head.proj.in_features)[3] = 0
                head.proj.bias.view(4, -1)[3] = 0


def _start_ahead(projection: nn.Linear) -> None:
    """Let a linear head begin with points straight ahead at distance 1 and a confidence of 2."""
    nn.init.normal_(projection.weight, std=0.01)
    per_channel = projection.bias.detach().view(4, -1)
    per_channel[2] = float(np.log(2))


def predicted_depth(network: nn.Module, samples: PairSamples) -> Tensor:
    """Return the depth (n, 2, h, w) of both views, each from the direction in which it is the first."""
    maps: list[list[Tensor]] = [[], []]
    for start in range(0, len(samples), 8):
        some = samples.rows(slice(start, start + 8))
        one, two = (
            network.encode(some.pictures[:, side].float().div(127.5).sub(1))  # type: ignore[operator]
            for side in (0, 1)
        )
        for side, views in enumerate(((one, two), (two, one))):
            maps[side].append(network.decode(*views)[0].points[..., 2])  # type: ignore[operator]
    return torch.stack([torch.cat(side) for side in maps], dim=1)


def depth_scores(depth: Tensor, truth: Tensor) -> dict[str, float]:
    """Compare depth (n, 2, h, w) of pairs with the truth, 0 = none, after one scale a pair: the median ratio."""
    errors, near = [], []
    for pair, true in zip(depth, truth, strict=True):
        known = (true > 0) & (pair > 0)
        ratio = pair[known] / true[known]
        ratio = ratio / ratio.median()
        errors.append(float((ratio - 1).abs().mean()))
        near.append(float((torch.maximum(ratio, 1 / ratio) < 1.25).float().mean()))
    return {"AbsRel": float(np.mean(errors)), "delta < 1.25": float(np.mean(near))}


def pairs_of_tours(seeds: tuple[int, ...], height: int, width: int) -> PairSamples:
    """Return pairs of frames of every indoor shot of tours."""
    shots = [shot.views for seed in seeds for shot in tour_shots(seed, 6, 2 * height, 2 * width, garden=False)]
    return PairSamples.concatenate([pair_samples(shot, list(HELD_OUT_PAIRS)) for shot in shots])


def _normalised(points: Tensor, valid: Tensor) -> Tensor:
    """Divide the points (n, 2, h, w, 3) of each pair by their mean distance from the first camera."""
    distance = points.norm(dim=-1) * valid
    mean = distance.flatten(1).sum(dim=1) / valid.flatten(1).sum(dim=1).clamp(min=1)
    normalised: Tensor = points / mean[:, None, None, None, None].clamp(min=1e-6)
    return normalised
