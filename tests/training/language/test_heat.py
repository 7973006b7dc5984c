"""Heat of one query: where the thing stands, and nowhere for a network that finds nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import voxel_index
from tests.training.spoken_room import class_vectors, small_text
from training.checkpoints import new_network
from training.language.embeddings import SpokenFrames
from training.language.heat import heat_picture, hottest, sample_heat
from training.language.speaker import Speaker


def test_heat_is_highest_where_the_thing_stands(learned: Path, first: SpokenFrames):
    speaker = Speaker.load(learned, small_text())
    vector = class_vectors()[SemanticClass.BED - 1]
    sample, heat = hottest(speaker, first.frames, vector)
    truth = sample.labels
    bed, walls = (heat.voxels[truth == label] for label in (SemanticClass.BED, SemanticClass.WALL))
    assert np.nanmean(bed) > np.nanmean(walls) + 0.3
    points = pointmap(sample.depth, sample.intrinsics, sample.camera_to_world)
    x, y, z = voxel_index(points, sample.origin)[300, 200].tolist()
    assert heat.pixels[300, 200] == pytest.approx(heat.voxels[x, y, z], nan_ok=True)
    assert heat_picture(sample, heat, "a bed").width > 400


def test_a_network_that_finds_nothing_has_no_heat(room: SpokenFrames):
    network = new_network("small", 2, room.width)
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.tensor([1.0, -1.0])
    heat = sample_heat(Speaker(network), room.frames[0], class_vectors()[0])
    assert np.isnan(heat.voxels).all()
    assert heat_picture(room.frames[0], heat, "a bed").height > 100
