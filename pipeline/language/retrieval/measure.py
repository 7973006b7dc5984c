"""Mean average precision of a dataset's language voxels on a retrieval benchmark, beside projected 2D features.

POP-3D's protocol (Vobecky et al., NeurIPS 2023): average precision of each query over the occupied places of its frame,
all of them or only those that the frame sees, then the mean over queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.camera import depth_intrinsics
from pipeline.contract.errors import BrokenRetrievalSet, UnusableQuery
from pipeline.contract.grid import voxel_centres
from pipeline.contract.progress import Progress, counted, silent
from pipeline.contract.records import without_moving
from pipeline.language.index import open_index
from pipeline.language.mixtures import mix, weights
from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery, chosen
from pipeline.language.retrieval.report import QueryScore, RetrievalReport
from pipeline.language.text import SanText, cosine
from pipeline.language.voxels import region_rows
from pipeline.store.groups import FRAMES, SCENE, SEMANTICS
from pipeline.store.rows import clip_rows, read_labels, read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore


class Words(NamedTuple):
    """What is asked, and its unit vector (E,)."""

    asked: str
    vector: Floats


def measure(store: Store, text: SanText, benchmark: Benchmark, progress: Progress = silent) -> RetrievalReport:
    """Rank the occupied voxels of every query's frame.

    Raises:
        BrokenRetrievalSet: the dataset has none of the frames.
        UnusableQuery: not one text can be compared with regions.
        NoEmbeddings, OtherWeights: as in ``open_index``.
    """
    indexed = set(open_index(store, text).video_ids())
    words = _words(text, benchmark.queries)
    asked = chosen(benchmark, [row for row, query in enumerate(benchmark.queries) if query in words])
    scores = [
        score
        for rows in counted(_by_frame(asked), progress, "rank voxels")
        if asked.queries[rows[0]].video_id in indexed
        for score in _frame_scores(store, asked, rows, words)
    ]
    if not scores:
        raise BrokenRetrievalSet("the dataset has none of the benchmark's frames: build the videos that it names first")
    refused = len(benchmark.queries) - len(asked.queries)
    return RetrievalReport(tuple(scores), len(asked.queries) - len(scores), refused)


def average_precision(scores: Floats, mask: NDArray[np.bool_]) -> float:
    """Return the average precision of scores (n,) for the true places (n,), nan where there are none.

    Precision at each distinct score, weighted by the recall it adds; equal scores are one step, so their order is none.
    """
    if not mask.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(mask[order])
    steps = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    precision = found[steps] / (steps + 1)
    return float((precision * np.diff(found[steps], prepend=0)).sum() / found[-1])


def _words(text: SanText, queries: Sequence[RetrievalQuery]) -> dict[RetrievalQuery, Words]:
    """Return what is asked for every query that the text side can take; there is at least one."""
    words, refusals = {}, []
    for query in dict.fromkeys(queries):
        try:
            words[query] = _words_of(text, query)
        except UnusableQuery as error:
            refusals.append(error)
    if not words:
        raise refusals[0]
    return words


def _words_of(text: SanText, query: RetrievalQuery) -> Words:
    try:
        return Words(query.text, text.embed([query.text])[0])
    except UnusableQuery:
        if not query.label:
            raise
        word = text.settings.words().classes[query.label][0]
        return Words(word, text.embed([word])[0])


def _by_frame(benchmark: Benchmark) -> list[list[int]]:
    frames: dict[tuple[str, int, bytes], list[int]] = {}
    for row, query in enumerate(benchmark.queries):
        key = (query.video_id, query.frame_index, benchmark.grid_from_camera[row].tobytes())
        frames.setdefault(key, []).append(row)
    return list(frames.values())


def _frame_scores(
    store: Store, benchmark: Benchmark, rows: Sequence[int], words: Mapping[RetrievalQuery, Words]
) -> Iterator[QueryScore]:
    """Yield the scores of the queries in ``rows``, which are about one frame and one grid."""
    first = benchmark.queries[rows[0]]
    video = store.video(first.video_id)
    at = np.flatnonzero((video.read(FRAMES, "frame_index") == first.frame_index) & video.read(SCENE, "registered"))
    if not at.size:
        return
    texts = np.stack([words[benchmark.queries[row]].vector for row in rows])
    grid_from_camera = benchmark.grid_from_camera[rows[0]]
    by_voxels = voxel_ranking(video, int(at[0]), grid_from_camera, texts)
    scale = scale_to_truth(video, int(at[0]), grid_from_camera, benchmark.visible[rows[0]])
    by_scaled = voxel_ranking(video, int(at[0]), grid_from_camera, texts, scale)
    by_pixels = projected_ranking(video, int(at[0]), grid_from_camera, texts)
    for column, row in enumerate(rows):
        query, occupied, mask = benchmark.queries[row], benchmark.occupied[row], benchmark.mask[row]
        places = (occupied, occupied & benchmark.visible[row])
        precisions = [
            average_precision(ranking[place, column], mask[place])
            for ranking in (by_voxels, by_scaled, by_pixels)
            for place in places
        ]
        yield QueryScore(query, words[query].asked, *precisions, *(_share(mask[place]) for place in places))


def voxel_ranking(
    video: VideoStore, row: int, grid_from_camera: NDArray[np.float64], texts: Floats, scale: float = 1.0
) -> Floats:
    """Return the scores (60, 60, 36, P) of a grid laid on a frame's camera: means over the points of the whole clip.

    texts: (P, E) unit vectors. scale: what the dataset's metres are multiplied with.
    Voxels into which no region falls come last, all alike.
    """
    rows = next(rows for _, rows in clip_rows(video) if rows.start <= row < rows.stop)
    scene = without_moving(read_scene(video, rows), read_labels(video, rows))
    camera_from_world = np.linalg.inv(scene.camera_to_world[row - rows.start].astype(np.float64))
    grid_from_world = grid_from_camera @ np.diag([scale, scale, scale, 1.0]) @ camera_from_world
    regions, first, embeddings = _clip_regions(video, rows)
    mixtures = mix(scene, np.where(regions >= 0, regions - first, -1), grid_from_world, np.zeros(3))
    shares = weights(mixtures.ranges, mixtures.entries, len(embeddings))
    last = np.full((1, len(texts)), -np.inf, np.float32)
    scores: Floats = np.concatenate([shares @ cosine(embeddings, texts), last])
    return scores[mixtures.rows_of_grid()]


def projected_ranking(video: VideoStore, row: int, grid_from_camera: NDArray[np.float64], texts: Floats) -> Floats:
    """Return the scores (60, 60, 36, P) of a grid's voxels where their centres lie in the frame's own picture.

    The baseline: every voxel takes the region it projects onto, hidden or not; those outside come last.
    """
    rows = slice(row, row + 1)
    regions, first, embeddings = _clip_regions(video, rows)
    v, u, _, inside = _pixels_of_voxels(video, row, grid_from_camera, regions.shape[1:])
    region = np.where(inside, regions[0][v, u], -1)
    last = np.full((1, len(texts)), -np.inf, np.float32)
    scores: Floats = np.concatenate([cosine(embeddings, texts), last])
    return scores[np.where(region >= 0, region - first, -1)]


def scale_to_truth(
    video: VideoStore, row: int, grid_from_camera: NDArray[np.float64], visible: NDArray[np.bool_]
) -> float:
    """Return the factor that gives a frame its true size: median depth of the voxels it sees over the stored depth."""
    depth = video.read(SCENE, "depth", slice(row, row + 1))[0].astype(np.float64)
    v, u, distance, inside = _pixels_of_voxels(video, row, grid_from_camera, depth.shape)
    given = inside & visible & (depth[v, u] > 0)
    return float(np.median(distance[given] / depth[v, u][given])) if given.any() else 1.0


def _pixels_of_voxels(
    video: VideoStore, row: int, grid_from_camera: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return row, column and depth (60, 60, 36) of voxel centres in a frame's map of ``shape``, and which lie in it."""
    height, width = shape
    camera_from_grid = np.linalg.inv(grid_from_camera)
    centres = voxel_centres(np.zeros(3)) @ camera_from_grid[:3, :3].T + camera_from_grid[:3, 3]
    intrinsics = video.read(SCENE, "intrinsics", slice(row, row + 1))[0]
    pixels = centres @ depth_intrinsics(intrinsics, (height, width)).T
    before = pixels[..., 2] > 0
    u, v = (np.floor(pixels[..., axis] / np.where(before, pixels[..., 2], 1)) for axis in (0, 1))
    inside = before & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    row_of, column_of = (np.where(inside, place, 0).astype(np.int64) for place in (v, u))
    return row_of, column_of, centres[..., 2], inside


def _clip_regions(video: VideoStore, rows: slice) -> tuple[NDArray[np.int64], int, NDArray[np.float16]]:
    """Return the region of every pixel (n, h, w), the first region of all, and the embeddings from it to the last."""
    regions = region_rows(video, rows)
    owned = regions[regions >= 0]
    first, last = (int(owned.min()), int(owned.max())) if owned.size else (0, -1)
    return regions, first, video.read(SEMANTICS, "region_embeddings", slice(first, last + 1))


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if mask.any() else float("nan")
