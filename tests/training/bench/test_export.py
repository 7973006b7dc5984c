from pathlib import Path

from pipeline.store.store import Store
from tests.earlier import FRAMES, unpack_earlier_dataset
from training.bench.export import exported, longer


def test_a_longer_dataset_is_the_first_video_by_many_names(tmp_path: Path):
    longer(Store(unpack_earlier_dataset(tmp_path / "short")), tmp_path / "data", 3)
    frames, seconds, peak = exported(str(tmp_path), "colmap")
    assert frames == 3 * FRAMES
    assert len(list((tmp_path / "out").glob("copy-0000?_001"))) == 3
    assert 0 < seconds < peak
