"""Which pairs of a clip are looked at, what holds together, and along which pairs cameras are laid out first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.reconstruction.dust3r.alignment.graph import largest_part, spanning_tree, video_pairs


@given(count=st.integers(2, 40), window=st.integers(1, 5), strides=st.lists(st.integers(2, 20), max_size=2))
@settings(max_examples=40)
def test_video_pairs_link_neighbours_both_ways_and_never_close_a_loop(count: int, window: int, strides: list[int]):
    edges = video_pairs(count, window, tuple(strides), complete_up_to=2)
    pairs = {(int(a), int(b)) for a, b in edges}
    assert len(pairs) == len(edges)
    assert pairs == {(b, a) for a, b in pairs}
    assert {(n, n + 1) for n in range(count - 1)} <= pairs
    longest = max([window, *strides]) if count > 2 else 1
    assert max(abs(a - b) for a, b in pairs) <= longest


def test_small_clips_take_all_pairs():
    assert len(video_pairs(5, window=1, strides=(), complete_up_to=5)) == 20


def test_strides_reach_ahead_and_both_directions_of_a_pair_stand_beside_each_other():
    edges = video_pairs(8, window=1, strides=(4,), complete_up_to=2)
    assert edges.dtype == np.int64
    assert np.array_equal(edges[::2], edges[1::2, ::-1])
    assert (edges[::2, 0] < edges[::2, 1]).all()
    assert sorted(map(tuple, edges[::2].tolist())) == [
        *sorted([(i, i + 1) for i in range(7)] + [(i, i + 4) for i in range(4)])
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_a_clip_without_a_second_image_has_no_pair(count: int):
    assert video_pairs(count, 3, (6,), 6).shape == (0, 2)


def test_largest_part_is_the_largest():
    assert largest_part(5, np.array([[0, 1], [2, 3], [3, 4]])).tolist() == [False, False, True, True, True]


def test_of_equal_parts_the_earliest_is_taken_and_lone_images_are_parts_of_one():
    assert largest_part(4, np.array([[0, 1], [2, 3]])).tolist() == [True, True, False, False]
    assert largest_part(3, np.empty((0, 2), np.int64)).tolist() == [True, False, False]


def test_spanning_tree_takes_the_strongest_links():
    order, parent = spanning_tree(3, np.array([[0, 1], [1, 2], [0, 2]]), np.array([3.0, 2.0, 1.0]))
    assert order[0] == 0
    assert parent[1] == 0
    assert parent[2] == 1


def test_of_both_directions_of_a_pair_the_stronger_counts():
    edges = np.array([[0, 1], [1, 0], [1, 2], [0, 2]])
    _, parent = spanning_tree(3, edges, np.array([0.1, 9.0, 1.0, 0.5]))
    assert parent[2] == 1


@given(st.integers(2, 12), st.integers(0, 1000))
@settings(max_examples=30)
def test_a_spanning_tree_reaches_every_image_over_links_and_none_that_was_left_out_is_stronger(count: int, seed: int):
    draw = np.random.default_rng(seed)
    edges = video_pairs(count, window=2, strides=(), complete_up_to=2)[::2]
    score = draw.uniform(0.1, 5, len(edges))
    order, parent = spanning_tree(count, edges, score)
    assert sorted(order.tolist()) == list(range(count))
    assert parent[order[0]] < 0
    strength = {tuple(sorted(edge)): value for edge, value in zip(edges.tolist(), score, strict=True)}
    links = {tuple(sorted((int(image), int(parent[image])))) for image in order[1:]}
    assert links <= set(strength)
    for a, b in set(strength) - links:
        # Kruskal's exchange: a link that was left out is no stronger than the weakest on the way between its ends.
        assert strength[a, b] <= min(strength[link] for link in _way(a, b, links)) + 1e-12


def _way(start: int, end: int, links: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The links of a tree from one image to another."""
    waiting: list[tuple[int, list[tuple[int, ...]]]] = [(start, [])]
    while waiting:
        image, way = waiting.pop()
        if image == end:
            return way
        waiting += [(sum(link) - image, [*way, link]) for link in links if image in link and link not in way]
    raise AssertionError("the tree does not hold together")
