"""Pair graphs for video, and what of a graph holds together."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree


def video_pairs(count: int, window: int, strides: tuple[int, ...], complete_up_to: int) -> NDArray[np.int64]:
    """Directed pairs (E, 2) of a clip of ``count`` images, both directions of a pair beside each other.

    Every image is paired with the next ``window`` ones and, for each stride, the image that many ahead; up to
    ``complete_up_to`` images all pairs are taken. Nothing links the last image to the first: a tour is no loop.
    """
    steps = range(1, count) if count <= complete_up_to else sorted({*range(1, window + 1), *strides})
    pairs = [(first, first + step) for step in steps for first in range(count - step)]
    forward = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, 2)


def largest_part(count: int, edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Images (count,) of the largest connected part of a graph; the earliest of equals."""
    _, part = connected_components(_undirected(count, edges, np.ones(len(edges))), directed=False)
    return np.asarray(part == np.bincount(part).argmax())


def spanning_tree(
    count: int, edges: NDArray[np.int64], score: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Maximum spanning tree: images in breadth-first order from an end of the best edge, and each one's parent.

    score: (E,) positive. The graph must be connected. The root's parent is -9999.
    """
    tree = minimum_spanning_tree(_undirected(count, edges, 1 / score))
    root = int(edges[np.argmax(score), 0])
    order, parent = breadth_first_order(tree, root, directed=False)
    return order.astype(np.int64), parent.astype(np.int64)


def _undirected(count: int, edges: NDArray[np.int64], cost: NDArray[np.float64]) -> coo_array:
    """Sparse graph with the cheaper direction of every pair."""
    ends = np.sort(edges, axis=1)
    cheapest = np.full((count * count,), np.inf)
    np.minimum.at(cheapest, ends[:, 0] * count + ends[:, 1], cost)
    linked = np.flatnonzero(np.isfinite(cheapest))
    return coo_array((cheapest[linked], (linked // count, linked % count)), shape=(count, count))
