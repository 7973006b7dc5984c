"""Pre-training without labels (section 4.2): voxel features learn to agree with a frozen image network's.

``superpixel_infonce`` is the paper's loss: the mean feature of every supervoxel is compared with the teacher's mean
feature of every superpixel of the batch, and has to find its own. The paper writes a sum without normalisation or
temperature; here features are unit vectors, the loss is a mean, and negatives come from the whole batch, on all
devices, as in SLidR (Sautier et al., CVPR 2022). ``pixel_cosine`` is ScaLR's (Puy et al., CVPR 2024): the distance
of unit vectors, pixel by pixel, without negatives.

Neither sees how long features are, and an optimiser lets them grow without end, until a fresh head behind them cannot
learn. So their size is held: the squared logarithm of their root mean square is added, a mean over pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from models.symphonies import Symphonies
from models.symphonies.views import in_full_precision
from training.data import Batch, Frames, Sample, collate
from training.errors import UnusableDataset
from training.settings import DistillSettings
from training.tasks.regions import pixel_voxels, region_means, slic_regions, supervoxels
from training.tasks.supervise import views_of
from training.teachers.features import FeatureSource


class TaughtBatch(NamedTuple):
    """B samples and what the teacher says of their pictures: features (B, D, h, w) float16."""

    batch: Batch
    features: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        return self.batch.names


class TaughtFrames:
    """Samples with the teacher's features."""

    def __init__(self, frames: Frames, features: FeatureSource, settings: DistillSettings) -> None:
        self.frames, self.features, self.settings = frames, features, settings

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.frames)

    def __getitem__(self, index: int) -> tuple[Sample, Tensor]:
        """Return a sample with regions, and its features (D, h, w).

        Raises:
            UnusableDataset: it has no regions, and none were asked for.
        """
        sample = self.frames[index]
        if self.settings.regions == "slic":
            sample = replace(sample, regions=slic_regions(sample.rgb, self.settings.superpixels))
        if self.settings.loss == "superpixel_infonce" and not sample.regions.any():
            message = f"{sample.name} has no regions: set regions=slic, or use a dataset whose semantics gave some"
            raise UnusableDataset(message)
        return sample, torch.from_numpy(self.features[index])


def collate_taught(items: Sequence[tuple[Sample, Tensor]]) -> TaughtBatch:
    """Stack samples and features."""
    return TaughtBatch(collate([sample for sample, _ in items]), torch.stack([features for _, features in items]))


class Distillation(nn.Module):
    """A network, whose head is as wide as the teacher's features, with its loss."""

    def __init__(self, network: Symphonies, settings: DistillSettings) -> None:
        super().__init__()
        self.network, self.settings = network, settings

    def forward(self, taught: TaughtBatch) -> Mapping[str, Tensor]:
        """Return the loss by its parts, and under ``total`` what is to be minimised."""
        *_, grids = self.network.features(views_of(taught.batch))
        return self._losses(grids.float().flatten(2).mT, taught)

    @in_full_precision
    def _losses(self, grids: Tensor, taught: TaughtBatch) -> dict[str, Tensor]:
        voxels = pixel_voxels(views_of(taught.batch))
        by_regions = self.settings.loss == "superpixel_infonce"
        agreement = self._by_regions(grids, voxels, taught) if by_regions else self._by_pixels(grids, voxels, taught)
        size = size_of_features(grids)
        return {"agreement": agreement, "size": size, "total": agreement + self.settings.size_weight * size}

    def _by_regions(self, grids: Tensor, voxels: Tensor, taught: TaughtBatch) -> Tensor:
        """Return the loss of features (B, N, F) with voxels (B, H, W) of the pixels."""
        students, teachers = [], []
        for grid, voxel, region, features in zip(grids, voxels, taught.batch.regions, taught.features, strict=True):
            student, teacher = region_pairs(grid, voxel, region, features.float())
            students.append(self.network.head_linear(student))
            teachers.append(teacher)
        return region_infonce(torch.cat(students), self._paired(torch.cat(teachers)), self.settings.temperature)

    def _by_pixels(self, grids: Tensor, voxels: Tensor, taught: TaughtBatch) -> Tensor:
        losses = []
        for grid, voxel, features in zip(grids, voxels, taught.features, strict=True):
            student, teacher = pixel_pairs(grid, voxel, features.float(), self.settings.pixels)
            losses.append(pixel_distance(self.network.head_linear(student), self._paired(teacher)))
        return torch.stack(losses).mean()

    def _paired(self, teachers: Tensor) -> Tensor:
        """Return the teacher's rows (n, D) that students learn from: their own, or for a control any of the batch."""
        if self.settings.pairs == "own":
            return teachers
        return teachers[torch.randperm(len(teachers), device=teachers.device)]


def region_pairs(grid: Tensor, voxels: Tensor, regions: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean voxel feature (Q, F) and the teacher's mean feature (Q, D) of every region that has voxels.

    grid: (N, F). voxels: (H, W), -1 = none. regions: (H, W), 0 = none. features: (D, h, w).
    """
    voxel, region = supervoxels(voxels, regions)
    count = int(regions.max()) + 1
    sizes = torch.bincount(region, minlength=count)
    sums = grid.new_zeros(count, grid.shape[1]).index_add(0, region, grid[voxel])
    means, _ = region_means(features, regions, count)
    there = sizes > 0
    return sums[there] / sizes[there, None], means[there]


def pixel_pairs(grid: Tensor, voxels: Tensor, features: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the voxel feature (n, F) and the teacher's feature (n, D) of at most ``most`` pixels, evenly spread.

    Arguments as in ``region_pairs``.
    """
    pixels = torch.nonzero(voxels.flatten() >= 0).flatten()
    pixels = pixels[:: max(-(-len(pixels) // most), 1)]
    places = torch.stack([pixels % voxels.shape[1], pixels // voxels.shape[1]], dim=-1) + 0.5
    size = places.new_tensor([voxels.shape[1], voxels.shape[0]])
    sampled = functional.grid_sample(features[None], (2 * places / size - 1)[None, None], align_corners=False)
    return grid[voxels.flatten()[pixels]], sampled[0, :, 0].T


def region_infonce(students: Tensor, teachers: Tensor, temperature: float) -> Tensor:
    """Return the mean over queries of -log softmax over all regions of the batch, at the query's own.

    students, teachers: (Q, D), row by row the same regions. With several processes, regions of all are compared, and
    the mean is over the queries of all: averaging gradients over processes then gives those of one large batch.
    """
    students, teachers = functional.normalize(students, dim=-1), functional.normalize(teachers, dim=-1)
    keys, first, world = _of_all_processes(teachers)
    if not len(keys):
        return students.sum() * 0
    logits = students @ keys.T / temperature
    own = torch.arange(len(students), device=logits.device) + first
    return functional.cross_entropy(logits, own, reduction="sum") * world / len(keys)


def pixel_distance(students: Tensor, teachers: Tensor) -> Tensor:
    """Return the mean distance of unit vectors; students, teachers: (n, D). 0 without any pixel."""
    if not len(students):
        return students.sum() * 0
    students, teachers = functional.normalize(students, dim=-1), functional.normalize(teachers, dim=-1)
    distances: Tensor = (students - teachers).norm(dim=-1)
    return distances.mean()


def size_of_features(grids: Tensor) -> Tensor:
    """Return the squared log of the root mean square of features (B, N, F), the mean over B: 0 where that is 1."""
    mean_square = grids.square().flatten(1).mean(dim=1)
    return (0.5 * mean_square.clamp(min=1e-12).log()).square().mean()


def _of_all_processes(rows: Tensor) -> tuple[Tensor, int, int]:
    """Return the rows (Q, D) of all processes, the index of this process's first one, and the number of processes."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return rows, 0, 1
    world, rank = distributed.get_world_size(), distributed.get_rank()
    counts = [torch.zeros(1, dtype=torch.long, device=rows.device) for _ in range(world)]
    distributed.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    sizes = [int(count) for count in counts]
    padded = functional.pad(rows, (0, 0, 0, max(sizes) - len(rows)))
    pieces = [torch.empty_like(padded) for _ in range(world)]
    distributed.all_gather(pieces, padded)
    return torch.cat([piece[:size] for piece, size in zip(pieces, sizes, strict=True)]), sum(sizes[:rank]), world
