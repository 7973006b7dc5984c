"""The group ``language`` of a video: which regions every voxel of every grid speaks with.

It is made on demand and not by the stage ``occupancy``: grids made before stay what they are, profiles without
embeddings pay nothing, and what it needs is stored. Grids of one clip share their voxels, so a clip keeps one table and
its frames point into it:

* ``region_of_voxel`` (N, 60, 60, 36) uint32, 0 = no region, else 1 + row of ``mixture_ranges``
* ``mixture_ranges`` (V, 2) int64, first row of ``mixtures`` and the one after the last
* ``mixtures`` (M, 2) uint32, row of ``semantics/region_embeddings`` and number of points
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore, NoEmbeddings
from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, voxel_centres, voxel_index
from pipeline.contract.records import without_moving
from pipeline.language.mixtures import Mixtures, mix, weights
from pipeline.stages.chain import made_by
from pipeline.stages.damage import examined
from pipeline.store.files import Files
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import LANGUAGE, OCCUPANCY, SEMANTICS
from pipeline.store.provenance import Provenance, fingerprint, identity
from pipeline.store.rows import WITH_EMBEDDINGS, clip_rows, has_embeddings, read_labels, read_scene
from pipeline.store.video import VideoStore

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CODE_VERSION = "1"
"""Raised by hand whenever the same grids and regions would give other mixtures."""

LOCK_WAIT_S = 600
LATTICE_ORIGIN = np.array([0.0, 0.0, -FLOOR_MARGIN])
"""Corner of a voxel in the world: x and y of every grid are multiples of 8 cm, and z begins below the floor."""

MOST_VOXELS_AWAY = 2
"""How far from a point a voxel lies at most that its ray fills: ends are spread by a hundredth of a ray's length."""

_ROWS_PER_CHUNK = 4096


@dataclass(frozen=True)
class LanguageGrid:
    """The regions of one frame's grid.

    voxel: (60, 60, 36) int64, row of ``shares``, -1 = no region falls into the voxel.
    shares: (V, R) sparse float32, of the regions of the clip in every voxel; rows sum to one.
    regions: rows (R) of ``semantics/region_embeddings`` that the columns stand for.
    """

    voxel: NDArray[np.int64]
    shares: "csr_array"
    regions: slice

    def scores(self, region_scores: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the mean score (60, 60, 36, P) of each voxel's points from scores (R, P), nan where it has none.

        The product with a mean embedding is the mean of the products, so no voxel needs a vector.
        """
        scores = np.full((*GRID_SHAPE, region_scores.shape[1]), np.nan, np.float32)
        held = self.voxel >= 0
        scores[held] = (self.shares @ region_scores)[self.voxel[held]]
        return scores

    def mean_embeddings(self, embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the mean embedding (V, E) of each voxel's points; embeddings: (R, E), those of ``regions``."""
        return np.asarray(self.shares @ embeddings.astype(np.float32), np.float32)


def language_grid(video: VideoStore, row: int) -> LanguageGrid:
    """Return the regions of the grid in ``row``.

    Raises:
        StageMissing: the group has not been made; see ``ensure_language``.
        CorruptStore: the group is damaged; it is moved aside, and made again when it is asked for next.
        NotReadableNow: it cannot be read at the moment.
    """
    try:
        return _read_grid(video, row)
    except CorruptStore as error:
        kept = _keeper(video)
        with kept.locked(LOCK_WAIT_S):
            said = examined(kept, error)
        if isinstance(said, CorruptStore):
            said = CorruptStore(f"{said}; ask again, and it is made anew", said.group)
        raise said from error


def ensure_language(video: VideoStore) -> None:
    """Make the group ``language`` unless it is what today's code would make of the stored grids and regions.

    Raises:
        NoEmbeddings: the video has no region embeddings.
        StageMissing: the video has no grids.
        VideoLocked: another process works on the video, and does for ten minutes.
    """
    wanted = _wanted(video)
    kept = _keeper(video)
    if _stored_fingerprint(kept) == wanted:
        return
    with kept.locked(LOCK_WAIT_S):
        if _stored_fingerprint(kept) != wanted:
            _write(video, kept, wanted)


def world_centres(origin: NDArray[np.floating], grid_from_world: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the centres (60, 60, 36, 3) of a grid's voxels in its clip's world, metres."""
    world_from_grid = np.linalg.inv(grid_from_world.astype(np.float64))
    centres: NDArray[np.float64] = voxel_centres(origin) @ world_from_grid[:3, :3].T + world_from_grid[:3, 3]
    return centres


def region_rows(video: VideoStore, rows: slice) -> NDArray[np.int64]:
    """Return the row of ``region_embeddings`` of every pixel (n, h, w) of the frames in ``rows``, -1 = in no region."""
    regions = video.read(SEMANTICS, "regions", rows).astype(np.int64)
    before = video.read(SEMANTICS, "region_offset", rows)[:, None, None]
    return np.where(regions > 0, before + regions - 1, -1)


def _read_grid(video: VideoStore, row: int) -> LanguageGrid:
    video = _keeper(video)
    tabled = video.read(LANGUAGE, "region_of_voxel", slice(row, row + 1))[0].astype(np.int64)
    used = tabled[tabled > 0]
    if not used.size:
        return LanguageGrid(np.full(GRID_SHAPE, -1), weights(*_no_entries(), 0), slice(0, 0))
    first = int(used.min()) - 1
    ranges = video.read(LANGUAGE, "mixture_ranges", slice(first, int(used.max())))
    entries = video.read(LANGUAGE, "mixtures", slice(int(ranges[0, 0]), int(ranges[-1, 1]))).astype(np.int64)
    regions = slice(int(entries[:, 0].min()), int(entries[:, 0].max()) + 1)
    entries[:, 0] -= regions.start
    shares = weights(ranges - ranges[0, 0], entries, regions.stop - regions.start)
    return LanguageGrid(np.where(tabled > 0, tabled - 1 - first, -1), shares, regions)


def _keeper(video: VideoStore) -> VideoStore:
    """Return where the group ``language`` lies: with the video, or in scratch where whoever asks may only read.

    A question writes nothing into a bucket, where nobody knows beforehand what may be written.
    """
    files = video.files
    if (files.is_local() and not files.is_read_only()) or _stored_fingerprint(video) == _wanted(video):
        return video
    return VideoStore(Files(files.make_scratch() / LANGUAGE), video.video_id)


def _wanted(video: VideoStore) -> str:
    if not has_embeddings(video):
        message = f"{video.video_id} has no region embeddings: run the stage 'semantics' again, {WITH_EMBEDDINGS}"
        raise NoEmbeddings(message)
    noted = video.attributes(OCCUPANCY)
    return fingerprint(LANGUAGE, CODE_VERSION, {}, identity(str(noted["fingerprint"]), str(noted.get("upstream", ""))))


def _stored_fingerprint(video: VideoStore) -> str | None:
    return str(video.attributes(LANGUAGE).get("fingerprint")) if video.has_group(LANGUAGE) else None


def _write(video: VideoStore, kept: VideoStore, wanted: str) -> None:
    started, voxels, entries = time.perf_counter(), 0, 0
    with kept.write_group(LANGUAGE) as group:
        for _, rows in clip_rows(video):
            scene = without_moving(read_scene(video, rows), read_labels(video, rows))
            mixtures = mix(scene, region_rows(video, rows), np.eye(4), LATTICE_ORIGIN)
            _append(group, mixtures, _rows_of_grids(video, rows, mixtures), voxels, entries)
            voxels, entries = voxels + len(mixtures.keys), entries + len(mixtures.entries)
        counts = {"voxels": float(voxels), "entries": float(entries)}
        group.attributes.update(_noted(video, wanted, time.perf_counter() - started, counts))


def _append(group: GroupWriter, mixtures: Mixtures, grids: NDArray[np.int64], voxels: int, entries: int) -> None:
    group.append("region_of_voxel", np.where(grids >= 0, grids + 1 + voxels, 0).astype(np.uint32))
    group.append("mixture_ranges", mixtures.ranges + entries, _ROWS_PER_CHUNK)
    group.append("mixtures", mixtures.entries.astype(np.uint32), _ROWS_PER_CHUNK)


def _rows_of_grids(video: VideoStore, rows: slice, mixtures: Mixtures) -> NDArray[np.int64]:
    """Return the row (n, 60, 60, 36) of ``mixtures`` of every voxel of the frames' grids, -1 = none or empty."""
    by_rays = video.attributes(OCCUPANCY)["settings"].get("occupied_by") == "rays"
    grids = zip(*(video.read(OCCUPANCY, name, rows) for name in ("labels", "origin", "grid_from_world")), strict=True)
    found = np.full((rows.stop - rows.start, *GRID_SHAPE), -1)
    for row, (labels, origin, grid_from_world) in enumerate(grids):
        if not grid_from_world.any():
            continue
        index = voxel_index(world_centres(origin, grid_from_world), LATTICE_ORIGIN)
        found[row] = np.where(labels != SemanticClass.EMPTY, mixtures.rows_of(index), -1)
        if by_rays:
            found[row] = _with_nearest(found[row], np.isin(labels, OCCUPIED_CLASSES))
    return found


def _with_nearest(rows: NDArray[np.int64], named: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give voxels that rays name and no point lies in, named (60, 60, 36), the row of the nearest that has one."""
    from scipy.ndimage import distance_transform_edt

    silent = named & (rows < 0)
    if not silent.any() or (rows < 0).all():
        return rows
    distance, nearest = distance_transform_edt(rows < 0, return_indices=True)
    return np.where(silent & (distance <= MOST_VOXELS_AWAY), rows[tuple(nearest)], rows)


def _noted(video: VideoStore, wanted: str, seconds: float, counts: Mapping[str, float]) -> dict[str, Any]:
    semantics = made_by(video, "semantics")
    made = Provenance(
        stage=LANGUAGE,
        backend="points_and_regions",
        code_version=CODE_VERSION,
        settings={},
        weights=semantics.weights if semantics else {},
        fingerprint=wanted,
        seconds=round(seconds, 3),
        counts=dict(counts),
    )
    return made.model_dump(mode="json")


def _no_entries() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64)
