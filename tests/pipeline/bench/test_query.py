import numpy as np
import pytest

from pipeline.bench import query as bench
from pipeline.bench.query import WANTED, WIDTH, Measured, QueryTiming, benchmark, table


def test_vectors_are_unit_vectors_that_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "_BLOCK", 40)
    blocks = list(bench._vectors(100))
    assert [len(block) for block in blocks] == [40, 40, 20]
    vectors = np.concatenate(blocks).astype(np.float32)
    assert vectors.shape == (100, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)  # half floats
    assert np.abs(vectors @ next(bench._vectors(1, seed=1))[0].astype(np.float32)).max() < 0.3


def test_numpy_finds_the_nearest_rows_across_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "_BLOCK", 70)
    vectors = np.concatenate(list(bench._vectors(500)))
    text = np.concatenate(list(bench._vectors(1, seed=1)))[0].astype(np.float32)
    scores = vectors.astype(np.float32) @ text
    found = bench._with_numpy([vectors[:130], vectors[130:]], text)
    assert len(found) == WANTED
    assert min(scores[found]) >= np.sort(scores)[-WANTED]


def test_recall_is_the_share_of_what_is_wanted_that_was_found():
    right = [set(range(WANTED)), set(range(WANTED))]
    half = list(range(WANTED // 2)) + list(range(1000, 1000 + WANTED // 2))
    assert bench._recall([list(range(WANTED)), half], right) == pytest.approx(0.75)


def test_a_measurement_answers_every_query_and_warms_up_once():
    asked: list[float] = []

    def search(text: np.ndarray) -> list[int]:
        asked.append(float(text[0]))
        return [len(asked)]

    measured = bench._measure(search, np.arange(6, dtype=np.float32).reshape(3, 2))
    assert asked == [0, 0, 2, 4]
    assert measured.found == [[2], [3], [4]]
    assert isinstance(measured, Measured)
    assert 0 <= measured.best_s <= measured.median_s


def test_both_ways_are_measured_on_the_same_files_and_nearly_agree(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "REPEATS", 3)
    ours, numpy = benchmark(regions=3000)
    assert (ours.name, ours.ratio) == ("pipeline.language.index", 1.0)
    assert numpy.recall == 1
    # Four times as many are compared again in float16 as are wanted: 640 of 3,000.
    assert ours.recall > 0.99
    assert numpy.ratio == pytest.approx(numpy.cpu_s / ours.cpu_s)


def test_the_table_shows_milliseconds():
    timings = [QueryTiming("ours", 0.0421, 0.04, 0.08, 1.0, 0.9988), QueryTiming("numpy", 1.2, 1.1, 2.4, 30.0, 1.0)]
    _, first, second = table(timings).splitlines()
    assert first.split() == ["ours", "42", "ms", "40", "ms", "80", "ms", "1.0x", "0.9988"]
    assert second.split() == ["numpy", "1200", "ms", "1100", "ms", "2400", "ms", "30.0x", "1.0000"]
