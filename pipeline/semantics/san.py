"""Segmenter ``san``: the paper's (section 3.1), Side Adapter Network asked for the words of a vocabulary."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.model_errors import as_settings_error
from pipeline.records import Images, MetricScene, Semantics
from pipeline.semantics.readout import FrameReadout, blank, connected_regions, gather, label_pixels, single_coloured
from pipeline.vocabulary import GROUP_LABELS, Vocabulary, default_vocabulary, load_vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from models.san import San

Arrays = Mapping[str, NDArray[np.generic]]


class SanSettings(BaseModel):
    """How SAN is run on a clip, and how its proposals become labels and regions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str = Field(
        "san_vit_b_16", min_length=1, description="name in the weights registry, or a checkpoint's path"
    )
    vocabulary: Path | None = Field(None, description="YAML file of prompts; none: the one that comes with the project")
    short_side: int = Field(640, ge=64, le=2560, description="pixels of a picture's short side (SAN's evaluation: 640)")
    batch: int = Field(4, ge=1, le=64, description="frames at once; four of 640x853 pixels stay under 3 GB")
    device: str = Field("cpu", description="torch device the network runs on")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="arithmetic; bfloat16 pays on GPUs only")
    features: Path | None = Field(
        None, description="folder for what the image network says (0.5 MB a frame), so that new words need no new run"
    )
    contrast_min: float = Field(3.0, ge=0, le=255, description="grey levels of spread below which a frame is blank")
    score_min: float = Field(0.1, ge=0, le=1, description="least score of a pixel's best class, or it stays unknown")
    proposal_score_min: float = Field(0.1, ge=0, le=1, description="least P(class) of a proposal that makes a region")
    proposal_kept_min: float = Field(
        0.8, ge=0, le=1, description="least share of a proposal's mask that others leave it (MaskFormer: 0.8)"
    )
    region_pixels_min: int = Field(64, ge=16, description="pixels of the smallest region")


class SanSegmenter:
    """Labels of the eleven classes, regions from mask proposals, and their embeddings for words asked later."""

    name = "san"

    def __init__(self, settings: SanSettings | None = None) -> None:
        self.settings = settings or SanSettings()

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of the checkpoint, by the name of its file; fetches it if need be."""
        from models.weights import checksum, locate

        with as_settings_error(f"semantics weights {self.settings.weights}"):
            path = locate(self.settings.weights)
        return {path.name: checksum(path)}

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at the resolution of ``scene.depth``.

        Raises:
            SettingsError: the checkpoint cannot be had, is broken or belongs to another network, or the vocabulary
                holds a word that the network cannot take.
        """
        height, width = scene.depth.shape[1:]
        text = self._text
        features = self._features(rgb)
        empty = single_coloured(rgb, self.settings.contrast_min)
        frames = [
            blank(height, width) if empty[frame] else self._read(features, text, frame, (height, width))
            for frame in range(len(rgb))
        ]
        embeddings = [features["embeddings"][frame, item.owners] for frame, item in enumerate(frames)]
        return gather(frames, [rows.astype(np.float16) for rows in embeddings])

    def _features(self, rgb: Images) -> Arrays:
        """What the image network says of a clip, from the folder of features if it was asked before."""
        from models.san.cache import ArrayCache, content_key

        if self.settings.features is None:
            return self._run_network(rgb)
        run = self.settings.model_dump_json(include={"short_side", "precision"})
        key = content_key("san", self._network.fingerprint, run, str(rgb.shape), rgb.tobytes())
        cache = ArrayCache(self.settings.features)
        stored = cache.load(key)
        if stored is None:
            stored = self._run_network(rgb)
            cache.store(key, stored)
        return stored

    def _run_network(self, rgb: Images) -> Arrays:
        """Mask logits (n, Q, h, w) and region embeddings (n, Q, E) in float16, and the sizes to undo the padding."""
        import torch

        from models.san.preprocess import resize_short_side

        step, halved = self.settings.batch, self.settings.precision == "bfloat16"
        found = []
        with torch.inference_mode(), torch.autocast(self.settings.device.split(":")[0], torch.bfloat16, enabled=halved):
            for first in range(0, len(rgb), step):
                pictures = torch.from_numpy(rgb[first : first + step]).permute(0, 3, 1, 2).to(self.settings.device)
                found.append(self._network.propose(resize_short_side(pictures, self.settings.short_side)))
        return {
            "masks": torch.cat([batch.mask_logits for batch in found]).half().cpu().numpy(),
            "embeddings": torch.cat([batch.region_embeddings for batch in found]).half().cpu().numpy(),
            "sizes": np.array([found[0].padded_size, found[0].image_sizes[0]]),
        }

    def _read(self, features: Arrays, text: "Tensor", frame: int, size: tuple[int, int]) -> FrameReadout:
        import torch

        from models.san.proposals import full_size_masks

        device = self.settings.device
        logits, embeddings = (
            torch.from_numpy(features[name][frame]).to(device).float() for name in ("masks", "embeddings")
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
    def _network(self) -> "San":
        from models.san import San
        from models.weights import cache_folder

        with as_settings_error(f"semantics weights {self.settings.weights}"):
            network = San.load(self.settings.weights, text_cache=cache_folder() / "words")
        return network.to(self.settings.device)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return load_vocabulary(self.settings.vocabulary) if self.settings.vocabulary else default_vocabulary()

    @cached_property
    def _text(self) -> "Tensor":
        with as_settings_error(f"vocabulary {self.settings.vocabulary or 'of the project'}"):
            return self._network.text(self._vocabulary.words)
