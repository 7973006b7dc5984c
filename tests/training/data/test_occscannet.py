"""OccScanNet's disputes: axis order, unknown voxels, and a split that films the same rooms on both sides."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from tests.training.occscannet_writer import write_occscannet
from tests.training.rooms import RoomFrames
from training.data import OccScanNetFrames, Sample
from training.errors import BrokenBenchmark, WrongAxes


@pytest.mark.parametrize("stored_as_yx", [False, True])
def test_occscannet_is_read_whichever_of_its_axis_orders_was_used(tmp_path: Path, *, stored_as_yx: bool):
    rooms = RoomFrames(2)
    write_occscannet(tmp_path, rooms, stored_as_yx=stored_as_yx)
    found = OccScanNetFrames(tmp_path, "train", by="official")
    assert np.array_equal(found[0].labels, rooms[0].labels)
    assert np.allclose(found[0].intrinsics, rooms[0].intrinsics, atol=1e-3)
    assert np.array_equal(found[0].projection.in_view, rooms[0].projection.in_view)


def test_occscannet_is_refused_where_no_order_fits_the_depth_map(tmp_path: Path):
    class Shifted(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            sample = super().__getitem__(index)
            return replace(sample, labels=np.roll(sample.labels, (11, 17, 9), axis=(0, 1, 2)))

    write_occscannet(tmp_path, Shifted(1))
    with pytest.raises(WrongAxes, match="do not belong together"):
        OccScanNetFrames(tmp_path, "train", by="official")[0]


def test_unknown_voxels_of_occscannet_count_as_empty_only_if_asked(tmp_path: Path):
    write_occscannet(tmp_path, RoomFrames(1))
    ignored, empty = (
        OccScanNetFrames(tmp_path, "train", by="official", unknown=unknown)[0].labels for unknown in ("ignore", "empty")
    )
    assert (ignored == SemanticClass.UNKNOWN).any()
    assert np.array_equal(empty, np.where(ignored == SemanticClass.UNKNOWN, 0, ignored))


def test_a_split_by_space_puts_all_scans_of_a_space_on_one_side(tmp_path: Path):
    lines = [f"gathered_data/scene{space:04d}_{scan:02d}/0000{scan}.pkl" for space in range(40) for scan in range(2)]
    (tmp_path / "train_subscenes.txt").write_text("\n".join(lines))
    (tmp_path / "val_subscenes.txt").write_text("\n".join(lines[:30]))
    spaces = {
        side: {name[:9] for name in OccScanNetFrames(tmp_path, side, by="by_space").names} for side in ("train", "test")
    }
    assert not spaces["train"] & spaces["test"]
    assert len(spaces["train"] | spaces["test"]) == 40
    official = OccScanNetFrames(tmp_path, "test", by="official")
    assert len(official) == 30
    assert "split official" in official.origin


def test_a_list_that_names_a_path_elsewhere_is_refused(tmp_path: Path):
    (tmp_path / "train_subscenes.txt").write_text("gathered_data/../../etc/passwd.pkl")
    with pytest.raises(BrokenBenchmark, match="not of the form"):
        OccScanNetFrames(tmp_path, "train", by="official")
