"""The card of a dataset: weights with their licences, and how far the reconstructions are to be trusted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.bench.made_up import finish_made_up
from pipeline.dataset.card import CARD, probabilities_of_clips
from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings, FilterSettings
from pipeline.store.index import CLASS_COLUMNS, read_index
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset


def test_the_card_names_the_weights_that_made_the_dataset_with_their_licences(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    store.remove("dataset", "summary.json")
    summary = build_dataset(store, DatasetSettings())
    card = store.read_bytes(*CARD).decode()
    assert card.startswith(f"# Dataset {summary.version}\n")
    assert f"{summary.frames} frames" in card
    (san,) = [line for line in card.splitlines() if line.startswith("| semantics |")]
    assert "`san_small.safetensors`" in san
    assert san.endswith("| Apache-2.0 |")


def test_the_card_says_of_how_many_clips_the_reconstruction_may_be_wrong(tmp_path: Path):
    store = Store(tmp_path)
    for video_id, probabilities in (("a", [0.95, 0.45]), ("b", [0.95]), ("c", None)):
        _finish(store, video_id, probabilities)
    build_dataset(store, DatasetSettings())
    assert np.allclose(probabilities_of_clips(store), [0.95, 0.45, 0.95, np.nan], equal_nan=True)
    card = store.read_bytes(*CARD).decode()
    assert "Of 3 clips about 0.7 may be wrong, as their probabilities say; of 1 clips it is not known" in card
    assert "| 0.9 to 1 | 2 |" in card
    assert "| 0.4 to 0.5 | 1 |" in card


def test_a_filter_by_probability_leaves_clips_out_by_name_and_keeps_those_of_which_nothing_is_known(tmp_path: Path):
    store = Store(tmp_path)
    for video_id, probabilities in (("a", [0.95, 0.4]), ("c", None)):
        _finish(store, video_id, probabilities)
    kept = build_dataset(store, DatasetSettings(filters=FilterSettings(probability_min=0.5)))
    assert (kept.videos, kept.clips) == (2, 2)
    assert [(entry.video_id, entry.clip_id, entry.code) for entry in kept.left_out] == [
        ("a", 1, "UnlikelyReconstruction")
    ]
    rows = read_index(store, ["video_id", "probability_right"])
    assert rows["probability_right"].to_pylist() == [pytest.approx(0.95)] * 3 + [None] * 3


def test_a_filter_by_the_deviation_of_scale_leaves_clips_out_by_name(tmp_path: Path):
    store = Store(tmp_path)
    _finish(store, "a", [0.95, 0.9], {"scale_sigma": [0.08, 0.4], "camera_height": [1.5, 1.6], "scale_cues": [5, 12]})
    _finish(store, "c", None)
    kept = build_dataset(store, DatasetSettings(filters=FilterSettings(scale_sigma_max=0.2)))
    assert [(entry.video_id, entry.clip_id, entry.code) for entry in kept.left_out] == [("a", 1, "UncertainScale")]
    rows = read_index(store, ["scale_sigma", "camera_height", "scale_cues"]).to_pylist()
    known = {"scale_sigma": pytest.approx(0.08), "camera_height": 1.5, "scale_cues": "floor+camera_height"}
    assert rows == [known] * 3 + [dict.fromkeys(known)] * 3


def _finish(
    store: Store, video_id: str, probabilities: list[float] | None, scales: dict[str, list[float]] | None = None
) -> None:
    """Finish a made-up video with clips of three frames each; None: release 0.2 made it."""
    clips = len(probabilities or [1])
    n = 3 * clips
    ones = np.ones(n, np.float32)
    known = {} if probabilities is None else {"probability_right": np.repeat(probabilities, 3).astype(np.float32)}
    arrays: dict[str, dict[str, NDArray[Any]]] = {
        "frames": {
            "clip_id": np.repeat(np.arange(clips, dtype=np.int32), 3),
            "frame_index": np.arange(n),
            "time_s": np.arange(n) / 4,
            "indoor_score": ones,
        },
        "reconstruction": known,
        "scene": {
            "registered": np.ones(n, np.bool_),
            "scale_source": np.zeros(n, np.uint8),
            **{name: np.repeat(values, 3).astype(np.float32) for name, values in (scales or {}).items()},
            **dict.fromkeys(("depth_share", "up_confidence", "ceiling_height"), ones),
        },
        "semantics": {},
        "occupancy": {"class_counts": np.ones((n, len(CLASS_COLUMNS)), np.int32)},
    }
    with store.video(video_id).locked():
        finish_made_up(store.video(video_id), "f0", arrays)
