import pytest

from models.bench.san import operations
from models.san.config import RELEASED


def test_operations_are_those_of_the_layers():
    config = RELEASED["san_vit_b_16"]
    # 640 x 853 pads to 640 x 864: 40 x 54 patches beside the queries, and 20 x 27 patches for CLIP.
    clip, side, queries = 20 * 27, 40 * 54, config.queries
    vision = 9 * _block(clip + 1, 768) + 3 * (_block(clip + 1, 768) + _regions(queries, clip, 768))
    adapter = 8 * _block(queries + side, 240) + 4 * 2 * clip * 768 * 240
    decoder = 2 * side * (2 * 240 * 256 + 3 * 256 * 256 + 256 * 256 * 12) + 2 * queries * side * 256 * 13
    patches = 2 * clip * 768 * 768 + 2 * side * 768 * 240
    # Queries' own perceptron, the projections of embeddings and of classes: below one per cent.
    assert operations(config, (640, 853)) == pytest.approx(vision + adapter + decoder + patches, rel=0.01)


def _block(tokens: int, width: int) -> float:
    return 2 * tokens * 12 * width**2 + 4 * tokens**2 * width


def _regions(queries: int, patches: int, width: int) -> float:
    return 2 * queries * 12 * width**2 + 4 * queries * patches * width
