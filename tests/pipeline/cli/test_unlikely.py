"""A clip whose reconstruction is probably wrong is left out by name, from the command to the dataset."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.stages.reconstruction.colmap import probability
from pipeline.stages.reconstruction.colmap.probability import SignWeight, TrustTable
from pipeline.store.index import read_index
from pipeline.store.rows import read_probability_right
from pipeline.store.store import Store
from tests.pipeline.room_video import FPS, film_of

from .runs import output

STRICT = TrustTable(
    learned="by hand",
    settings={},
    log_odds=3.0,
    signs=(
        SignWeight(name="missing", scale="plain", best=0.0, worst=0.1, unknown=0.5, weight=5.0),
        SignWeight(name="hollow", scale="plain", best=0.1, worst=0.16, unknown=0.5, weight=5.0),
    ),
)
"""A table that doubts clips with gaps, in time or in depth, whatever is learned for the one that ships."""


def write_film(path: Path, frames: int = 24) -> None:
    """Film a room, and after a cut one with hardly any texture."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        pictures = list(film_of(frames))
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for picture in pictures:
            faded = 170 + 0.1 * (picture[:, ::-1].astype(np.float32) - 130)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(faded.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture
def strict_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = tmp_path / "probability.json"
    path.write_text(STRICT.model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(probability, "TABLE", path)
    probability.trust_table.cache_clear()
    yield
    probability.trust_table.cache_clear()


@pytest.mark.usefixtures("strict_table")
def test_a_spoilt_clip_is_left_out_by_name_and_the_films_other_clip_is_kept(tmp_path: Path):
    write_film(tmp_path / "film.mp4")
    values = (
        "indoor_clips.threshold=0",
        "reconstruction.colmap.sparse.max_features=1500",
        "reconstruction.colmap.sparse.precise=9",
        "reconstruction.colmap.sweep.width=128",
        "reconstruction.colmap.lens.correct=false",
    )
    chosen = [word for value in values for word in ("--set", value)]
    shown = output("process", tmp_path / "film.mp4", "--data", tmp_path / "data", *chosen)
    assert "left out clip 1: UnlikelyReconstruction: right with a probability of 0." in shown
    assert "0.5 needed; the worst sign: share of" in shown
    store = Store(tmp_path / "data")
    (video_id,) = store.video_ids()
    clip_of_frame = store.video(video_id).read("frames", "clip_id")
    stored = read_probability_right(store.video(video_id))
    good = float(stored[clip_of_frame == 0][0])
    assert good == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3), "it has depth nearly everywhere"
    assert np.isnan(stored[clip_of_frame == 1]).all()
    summary = build_dataset(store, DatasetSettings())
    assert [(entry.clip_id, entry.code) for entry in summary.left_out] == [(1, "UnlikelyReconstruction")]
    rows = read_index(store, ["clip_id", "probability_right"])
    assert set(rows["clip_id"].to_pylist()) == {0}
    assert rows["probability_right"].to_pylist() == [pytest.approx(good, abs=1e-6)] * rows.num_rows
