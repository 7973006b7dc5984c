"""Scores of predicted grids as the field computes them, and what stands beside them for comparison.

The protocol of NYUv2 semantic scene completion (SSCMetrics of MonoScene and Symphonies): counts over the whole set,
divided once; voxels whose truth is 255 are left out; no visibility mask; a class absent from both counts as 0. Grids
of the dataset also have 12, occupied without a name, which that protocol lacks: it counts for IoU and for no class.
"""

from dataclasses import dataclass, field
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from pipeline.contract.overlap import OverlapCounts, overlap
from training.data.sample import Sample

VARIANTS = ("all", "in view", "visible")
"""All known voxels, as published; those the picture's frustum holds; of those, the ones no surface hides."""

Labels = NDArray[np.uint8]


@dataclass
class Scores:
    """Counts of one predictor over a set of grids, by variant."""

    name: str
    counts: dict[str, list[OverlapCounts]] = field(default_factory=lambda: {name: [] for name in VARIANTS})

    def add(self, predicted: Labels, sample: Sample) -> None:
        """Count one predicted grid (60, 60, 36)."""
        projection = sample.projection
        masks = {
            "all": np.ones(predicted.size, np.bool_),
            "in view": projection.in_view,
            "visible": projection.visible(sample.depth),
        }
        for variant, mask in masks.items():
            self.counts[variant].append(overlap(predicted.ravel()[mask], sample.labels.ravel()[mask]))

    def total(self, variant: str = "all") -> OverlapCounts:
        """Return the counts over the whole set.

        Raises:
            ValueError: nothing was counted.
        """
        if not self.counts[variant]:
            message = "no grid was counted"
            raise ValueError(message)
        self.counts[variant] = [reduce(add, self.counts[variant])]
        return self.counts[variant][0]


class Evaluation:
    """Scores of a network, of others that label the same grids (rivals), and of two baselines.

    The baselines know nothing of classes, so only their IoU is compared: every voxel in view occupied, and the voxels
    occupied that the depth map's points fall into.
    """

    def __init__(self, name: str, *rivals: str) -> None:
        self.network = Scores(name)
        self.rivals = tuple(Scores(rival) for rival in rivals)
        self.all_in_view = Scores("all in view occupied")
        self.depth_surface = Scores("surface from depth")

    def add(self, predicted: Labels, sample: Sample, *theirs: Labels) -> None:
        """Count one grid predicted for a sample, and those of the rivals in their order."""
        self.network.add(predicted, sample)
        for scores, labels in zip(self.rivals, theirs, strict=True):
            scores.add(labels, sample)
        self.all_in_view.add(all_in_view(sample), sample)
        self.depth_surface.add(depth_surface(sample), sample)

    def summary(self) -> dict[str, float]:
        """Return IoU and mIoU of the network by variant, both of the rivals over all voxels, IoU of the baselines."""
        total = {variant: self.network.total(variant) for variant in VARIANTS}
        figures = {f"iou {variant}": counts.iou for variant, counts in total.items()}
        figures |= {f"miou {variant}": counts.miou for variant, counts in total.items()}
        figures |= {f"miou {scores.name}": scores.total().miou for scores in self.rivals}
        beside = (*self.rivals, self.all_in_view, self.depth_surface)
        figures |= {f"iou {scores.name}": scores.total().iou for scores in beside}
        return figures

    def markdown(self) -> str:
        """Return tables: completion by predictor and variant, then every class with its support."""
        lines = ["| predictor | voxels | IoU | precision | recall | mIoU |", "|---|---|---|---|---|---|"]
        naming = [(scores, True) for scores in (self.network, *self.rivals)]
        for scores, names in (*naming, (self.all_in_view, False), (self.depth_surface, False)):
            for variant in VARIANTS:
                counts = scores.total(variant)
                semantic = f"{counts.miou:.4f}" if names else ""
                figures = f"{counts.iou:.4f} | {counts.precision:.4f} | {counts.recall:.4f} | {semantic}"
                lines.append(f"| {scores.name} | {variant} | {figures} |")
        total = self.network.total()
        others = "".join(f" {scores.name}: IoU |" for scores in self.rivals)
        lines += ["", f"| class | IoU | voxels in truth | voxels predicted |{others}"]
        lines.append("|---" * (4 + len(self.rivals)) + "|")
        for label in OCCUPIED_CLASSES:
            figures = f"{total.class_iou[label]:.4f} | {total.true[label]} | {total.predicted[label]} |"
            theirs = "".join(f" {scores.total().class_iou[label]:.4f} |" for scores in self.rivals)
            lines.append(f"| {label.name.lower()} | {figures}{theirs}")
        return "\n".join(lines)


def all_in_view(sample: Sample) -> Labels:
    """Return a grid in which every voxel in view is occupied (as wall: completion alone is compared)."""
    occupied = sample.projection.in_view.reshape(GRID_SHAPE)
    return np.where(occupied, SemanticClass.WALL, SemanticClass.EMPTY).astype(np.uint8)


def depth_surface(sample: Sample) -> Labels:
    """Return a grid in which the voxels that the depth map's points fall into are occupied (as wall)."""
    labels = np.full(GRID_SHAPE, SemanticClass.EMPTY, np.uint8)
    points = pointmap(sample.depth, sample.intrinsics, sample.camera_to_world)[sample.depth > 0]
    index = voxel_index(points, sample.origin)
    inside = index[((index >= 0) & (index < GRID_SHAPE)).all(axis=1)]
    labels[tuple(inside.T)] = SemanticClass.WALL
    return labels
