"""Voxels that probes learn from: visible ones, drawn by seed and name, kept by the network's weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.array_cache import FOLDER
from pipeline.contract.overlap import overlap
from tests.training.rooms import RoomFrames
from training.checkpoints import new_network
from training.data import Sample, collate
from training.errors import UnusableDataset, WrongCheckpoint
from training.probes.run import ProbeSettings, folds_of, probe, rows_of, score
from training.probes.voxels import drawn_voxels, house_of, voxel_rows
from training.tasks.losses import CLASSES
from training.tasks.supervise import views_of


def network(seed: int = 0):
    torch.manual_seed(seed)
    return new_network("tiny", CLASSES)


def test_rows_are_what_the_head_reads_at_visible_voxels_with_a_label(tmp_path: Path):
    frames, net = RoomFrames(2), network()
    rows = voxel_rows(net, frames, 50, 0, tmp_path)
    assert rows.features.shape == (100, net.config.head_channels)
    assert rows.features.dtype == np.float16
    sample, places = frames[1], drawn_voxels(frames[1], 50, 0)
    with torch.inference_mode():
        grid = net.eval().features(views_of(collate([sample])))[-1][0].flatten(1)
    assert np.array_equal(rows.features[rows.rooms == 1], grid[:, places].T.numpy().astype(np.float16))
    assert np.array_equal(rows.labels[rows.rooms == 1], sample.labels.ravel()[places])
    assert sample.projection.visible(sample.depth)[places].all()
    assert rows.labels.max() < 12


def test_the_draw_depends_on_seed_and_name_alone():
    sample = RoomFrames(1)[0]
    drawn = drawn_voxels(sample, 100, 3)
    assert np.array_equal(drawn, drawn_voxels(replace(sample, rgb=sample.rgb // 2), 100, 3))
    assert not np.array_equal(drawn, drawn_voxels(sample, 100, 4))
    assert not np.array_equal(drawn, drawn_voxels(replace(sample, name="another"), 100, 3))
    everything = drawn_voxels(sample, 10**6, 3)
    assert len(np.unique(everything)) == len(everything) < sample.labels.size


def test_features_are_kept_by_the_weights_they_came_from(tmp_path: Path):
    frames = RoomFrames(1)
    first = voxel_rows(network(0), frames, 20, 0, tmp_path)
    (kept,) = (tmp_path / FOLDER).glob("*.npz")
    again = voxel_rows(network(0), frames, 20, 0, tmp_path)
    assert np.array_equal(first.features, again.features)
    other = voxel_rows(network(1), frames, 20, 0, tmp_path)
    assert not np.array_equal(first.features, other.features)
    (second,) = set((tmp_path / FOLDER).glob("*.npz")) - {kept}
    second.write_bytes(kept.read_bytes())
    with pytest.raises(WrongCheckpoint, match="by other weights"):
        voxel_rows(network(1), frames, 20, 0, tmp_path)


def test_rooms_without_a_known_voxel_give_nothing_to_probe(tmp_path: Path):
    class Blank(RoomFrames):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), labels=np.full((60, 60, 36), 255, np.uint8))

    with pytest.raises(UnusableDataset, match="no voxel whose label is known"):
        voxel_rows(network(), Blank(1), 20, 0, tmp_path)


def test_houses_are_read_from_names():
    assert [house_of(name) for name in ("NYU1500000_0003", "room/0-1", "view-7/12", "plain")] == [
        "NYU1500000",
        "room",
        "view-7",
        "plain",
    ]


def test_whole_houses_are_held_out_and_one_house_cannot_be():
    houses = np.array(["a", "b", "c", "a", "b", "c", "d", "e", "f"])
    folds = folds_of(houses, ProbeSettings(folds=3))
    assert np.bincount(folds[[0, 1, 2, 6, 7, 8]]).tolist() == [2, 2, 2]
    assert (folds[:3] == folds[3:6]).all()
    assert np.array_equal(np.sort(np.unique(folds_of(houses[:2], ProbeSettings()))), [0, 1])
    with pytest.raises(UnusableDataset, match="all labelled rooms are of the house a"):
        folds_of(np.array(["a", "a"]), ProbeSettings())


class Houses(RoomFrames):
    """Every frame of the analytic room as a house of its own."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count, seed)
        self.names = tuple(f"house{seed}{i}/0" for i in range(count))

    def __getitem__(self, index: int) -> Sample:
        return replace(super().__getitem__(index), name=self.names[index])


def test_a_network_is_probed_and_shuffled_labels_say_nothing(tmp_path: Path):
    settings = ProbeSettings(voxels=400, ridges=(1e-3, 1e-1, 10.0))
    train, test = rows_of(network(), (Houses(4, 0), Houses(3, 1)), settings, tmp_path)
    real = score("random", 0, 4, probe(train, settings), test)
    control = score("shuffled", 0, 4, probe(train.shuffled(0), settings), test)
    assert len(real.houses) == 3
    constant = np.full(len(test.labels), np.bincount(train.labels[train.labels > 0]).argmax(), np.uint8)
    assert control.miou == pytest.approx(overlap(constant, test.labels).miou, abs=1e-3), "chance: one class everywhere"
    assert real.miou > 1.3 * control.miou, "random values hold where surfaces are"
    assert np.array_equal(np.sort(train.shuffled(1).labels), np.sort(train.labels))
    few = train.of(train.names[:2])
    assert set(few.houses.tolist()) == {"house00", "house01"}
    with pytest.raises(UnusableDataset, match="elsewhere is none of the 4 rooms"):
        train.of(["elsewhere"])
    with pytest.raises(UnusableDataset, match="all labelled rooms"):
        probe(train.of(train.names[:1]), settings)
