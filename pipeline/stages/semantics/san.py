"""Segmenter ``san``: the paper's (section 3.1), Side Adapter Network asked for the words of a vocabulary."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.vocabulary import GROUP_LABELS, Vocabulary
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.semantics.readout import (
    FrameReadout,
    blank,
    connected_regions,
    gather,
    label_pixels,
    single_coloured,
)
from pipeline.stages.semantics.settings import SanSettings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models.san import AnySan

EXACT = "exact_"
"""Before the names of answers in float32, kept to tell what bfloat16 changes."""

Arrays = Mapping[str, NDArray[np.generic]]


class SanSegmenter:
    """Labels of the eleven classes, regions from mask proposals, and their embeddings for words asked later.

    features: folder that keeps what the image network says, where the settings name none; else nothing is kept.
    """

    name = "san"

    def __init__(self, settings: SanSettings | None = None, features: Path | None = None) -> None:
        self.settings = settings or SanSettings()
        folder = self.settings.features or features
        self._folder = folder if self.settings.features_gb else None

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the checkpoint, by the name of its file; fetches it if need be."""
        return weights_now(self.settings)

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at the resolution of ``scene.depth``.

        Raises:
            SettingsError: the checkpoint cannot be had, is broken or belongs to another network, or the vocabulary
                holds a word that the network cannot take.
        """
        return self.label(rgb, scene.depth.shape[1:])

    def label(self, rgb: Images, size: tuple[int, int]) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at a resolution ``size`` (h, w); raises as ``segment`` does."""
        height, width = size
        text = self._text
        features = self._features(rgb)
        empty = single_coloured(rgb, self.settings.contrast_min)
        frames = [
            blank(height, width) if empty[frame] else self._read(features, text, frame, (height, width))
            for frame in range(len(rgb))
        ]
        embeddings = [features["embeddings"][frame, item.owners] for frame, item in enumerate(frames)]
        semantics = gather(frames, [rows.astype(np.float16) for rows in embeddings])
        return replace(semantics, notes=self._rounding_notes(features, text, (height, width)))

    def _features(self, rgb: Images) -> Arrays:
        """What the image network says of a clip, from the folder of features if it was asked before."""
        from models.array_cache import ArrayCache, content_key

        if self._folder is None:
            return self._run_network(rgb)
        run = f"{self.settings.short_side} {self._halved}"
        key = content_key("san", self._network.fingerprint, run, str(rgb.shape), rgb.tobytes())
        cache = ArrayCache(self._folder, self.settings.features_gb * 1e9)
        stored = cache.load(key)
        if stored is None:
            stored = self._run_network(rgb)
            cache.store(key, stored)
        return stored

    def _run_network(self, rgb: Images) -> Arrays:
        """Answers of the network for a clip; in bfloat16, those of the first frame in float32 beside them."""
        answers = self._answers(rgb, halved=self._halved)
        exact = self._answers(rgb[:1], halved=False) if self._halved else {}
        return {**answers, **{f"{EXACT}{name}": values for name, values in exact.items()}}

    def _answers(self, rgb: Images, *, halved: bool) -> Arrays:
        """Mask logits (n, Q, h, w) and region embeddings (n, Q, E) in float16, and the sizes to undo the padding."""
        import torch

        from models.san.preprocess import resize_short_side

        masks, embeddings, sizes = [], [], np.zeros((2, 2), np.int64)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=halved):
            for first in range(0, len(rgb), self.settings.batch):
                pictures = torch.from_numpy(rgb[first : first + self.settings.batch]).permute(0, 3, 1, 2)
                resized = resize_short_side(pictures.to(self._device), self.settings.short_side)
                found = self._network.propose(resized)
                masks.append(found.mask_logits.half().cpu().numpy())
                embeddings.append(found.region_embeddings.half().cpu().numpy())
                sizes = np.array([found.padded_size, found.image_sizes[0]])
        return {"masks": np.concatenate(masks), "embeddings": np.concatenate(embeddings), "sizes": sizes}

    def _rounding_notes(self, features: Arrays, text: "Tensor", size: tuple[int, int]) -> tuple[str, ...]:
        exact = {name.removeprefix(EXACT): values for name, values in features.items() if name.startswith(EXACT)}
        if not exact:
            return ()
        changed = self._read(features, text, 0, size).labels != self._read(exact, text, 0, size).labels
        return (f"bfloat16 changes the labels of {changed.mean():.2%} of the first frame's pixels",)

    def _read(self, features: Arrays, text: "Tensor", frame: int, size: tuple[int, int]) -> FrameReadout:
        import torch

        from models.san.proposals import full_size_masks

        logits, embeddings = (
            torch.from_numpy(features[name][frame]).to(self._device).float() for name in ("masks", "embeddings")
        )
        padded, image = features["sizes"].tolist()
        with torch.inference_mode():
            masks = full_size_masks(logits, tuple(padded), tuple(image), size).sigmoid()
            groups = self._group_probabilities(embeddings, text)
            scores = torch.einsum("qg,qhw->ghw", groups[:, :-1], masks).cpu().numpy()
            owner = self._owners(groups, masks).cpu().numpy()
        labels, confidence, moving = label_pixels(scores, self.settings.score_min)
        return FrameReadout(labels, confidence, moving, *connected_regions(owner, self.settings.region_pixels_min))

    def _group_probabilities(self, embeddings: "Tensor", text: "Tensor") -> "Tensor":
        """P(group) of proposals (Q, groups + 1), background last: the best synonym speaks for its group."""
        import torch

        logits = self._network.classify(embeddings, text)
        background = len(GROUP_LABELS)
        group = torch.tensor([*self._vocabulary.groups, background], device=logits.device).expand_as(logits)
        best = logits.new_full((len(logits), background + 1), -torch.inf).scatter_reduce(1, group, logits, "amax")
        return best.softmax(dim=-1)

    def _owners(self, groups: "Tensor", masks: "Tensor") -> "Tensor":
        """Index (h, w) of the proposal that each pixel belongs to, -1 = none (MaskFormer's rule, Cheng et al. 2021).

        A proposal that looks like background, or to which others leave too little of its mask, owns nothing.
        """
        import torch

        likely, best = groups.max(dim=-1)
        stands = (best < groups.shape[1] - 1) & (likely >= self.settings.proposal_score_min)
        owner = (masks * (likely * stands)[:, None, None]).argmax(dim=0)
        kept = torch.bincount(owner.flatten(), minlength=len(masks))
        stands &= kept >= self.settings.proposal_kept_min * (masks >= 0.5).sum(dim=(1, 2))
        return torch.where(stands[owner], owner, -1)

    @cached_property
    def _network(self) -> "AnySan":
        return network_of(self.settings, self._device, self.weights)

    @cached_property
    def _device(self) -> "torch.device":
        from models.device import device_of

        with as_settings_error("semantics.san.device"):
            return device_of(self.settings.device)

    @property
    def _halved(self) -> bool:
        from models.device import in_bfloat16

        with as_settings_error("semantics.san.precision"):
            return in_bfloat16(self.settings.precision, self._device)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return self.settings.words()

    @cached_property
    def _text(self) -> "Tensor":
        with as_settings_error(f"vocabulary {self.settings.vocabulary or 'of the project'}"):
            return self._network.text(self._vocabulary.words)


def weights_now(settings: SanSettings) -> Mapping[str, str]:
    """Return the SHA-256 of the checkpoint, by the name of its file, which is fetched if need be.

    Raises:
        SettingsError: it cannot be had.
    """
    from models.weights.cache import locate
    from models.weights.contents import checksum

    with as_settings_error(f"semantics weights {settings.weights}"):
        path = locate(settings.weights)
        return {path.name: checksum(path)}


def network_of(settings: SanSettings, device: "torch.device", noted: Mapping[str, str]) -> "AnySan":
    """Return the network of this process; ``noted``: what ``weights_now`` said.

    Raises:
        SettingsError: the checkpoint cannot be had, is broken or belongs to another network.
        WeightsReplaced: it is another one by now.
    """
    with as_settings_error(f"semantics weights {settings.weights}"):
        return loaded(network_on, settings.weights, device, now=partial(weights_now, settings), noted=noted)


def network_on(weights: str, device: "torch.device") -> "AnySan":
    """Load the network onto a device."""
    from models.san import San
    from models.weights.folder import cache_folder

    return San.load(weights, text_cache=cache_folder() / "words").to(device)
