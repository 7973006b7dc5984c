"""Segmenter ``closed_set``: any segmenter of transformers whose names are those of ADE20K or COCO."""

import re
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.vocabulary import GROUP_LABELS, closed_set_names
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.networks import loaded
from pipeline.stages.semantics import readout
from pipeline.stages.semantics.settings import ClosedSetSettings

if TYPE_CHECKING:
    from models.closed_set import ClosedSetSegmenter


class ClosedSetBackend:
    """The best name of a pixel decides its label; regions are connected parts of one name."""

    name = "closed_set"

    def __init__(self, settings: ClosedSetSettings) -> None:
        self.settings = settings

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of every file of weights in the folder."""
        from models.weights.contents import checksum

        return {path.name: checksum(path) for path in sorted(self.settings.folder.glob("*.safetensors"))}

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Label frames (n, 480, 640, 3) uint8 RGB at the resolution of ``scene.depth``.

        Raises:
            SettingsError: the folder holds no segmenter, or one with names of no class (``pipeline/closed_set.yaml``).
        """
        height, width = scene.depth.shape[1:]
        empty = readout.single_coloured(rgb, self.settings.contrast_min)
        frames = []
        for first in range(0, len(rgb), self.settings.batch):
            batch = slice(first, first + self.settings.batch)
            for nothing, scores in zip(empty[batch], self._scores(rgb[batch], height, width), strict=True):
                frames.append(readout.blank(height, width) if nothing else self._read(scores))
        return readout.gather(frames, [])

    def _scores(self, rgb: Images, height: int, width: int) -> NDArray[np.float32]:
        """Scores (n, C, height, width) of the network's own names."""
        import torch

        pictures = torch.from_numpy(rgb).permute(0, 3, 1, 2)
        found = self._network.scores(pictures, self.settings.short_side, (height, width))
        scores: NDArray[np.float32] = found.cpu().numpy()
        return scores

    def _read(self, scores: NDArray[np.float32]) -> readout.FrameReadout:
        members = (scores[self._groups == group] for group in range(len(GROUP_LABELS)))
        by_group = np.stack([of_group.max(axis=0, initial=0) for of_group in members])
        labels, confidence, moving = readout.label_pixels(by_group, self.settings.score_min)
        owner = np.where(by_group.max(axis=0) >= self.settings.score_min, scores.argmax(axis=0), -1)
        regions, owners = readout.connected_regions(owner, self.settings.region_pixels_min)
        return readout.FrameReadout(labels, confidence, moving, regions, owners)

    @cached_property
    def _network(self) -> "ClosedSetSegmenter":
        from models.weights.contents import contents

        folder = self.settings.folder
        with as_settings_error(f"semantics folder {folder}"):
            return loaded(network_on, folder, self.settings.device, now=partial(contents, folder))

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        return groups_of_names(self._network.names)


def network_on(folder: Path, device: str | None) -> "ClosedSetSegmenter":
    """Load the network of a folder onto a device, by default the GPU where there is one."""
    from models.closed_set import ClosedSetSegmenter
    from models.device import device_of

    place = device_of(device)
    return ClosedSetSegmenter.load(folder).to(place)


def groups_of_names(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the index into ``GROUP_LABELS`` of every name (C,).

    Lists differ in spelling ("door-stuff", "bed ", "table; dining table"): suffixes and alternatives are dropped.

    Raises:
        SettingsError: naming those that stand for no class.
    """
    known = closed_set_names()
    group = dict(zip(known.words, known.groups.tolist(), strict=True))
    plain = [_plain(name) for name in names]
    strange = sorted({name for name in plain if name not in group})
    if strange:
        raise SettingsError(f"the segmenter knows names that stand for no class: {', '.join(strange[:10])}")
    return np.array([group[name] for name in plain], np.int64)


def _plain(name: str) -> str:
    first = re.split(r"[;,]", name.lower())[0].strip()
    return re.sub(r"(-other|-stuff|-merged)+$", "", first).replace("-", " ").replace("_", " ")
