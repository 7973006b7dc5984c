"""Frames with the embeddings of their regions: each region's own, of one text space."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import CorruptStore, NoEmbeddings, OtherWeights
from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from tests.pipeline.renamed import copy_video
from tests.training.rooms import stored_frames
from tests.training.spoken_room import class_vectors, embed_again, small_text
from training.data import StoredFrames
from training.language.embeddings import SpokenFrames


def test_a_frames_regions_come_with_their_own_embeddings(room: SpokenFrames):
    assert room.width == 64
    for index in range(len(room)):
        sample, embeddings = room[index]
        labels = room.frames.array(index, "semantics/labels")
        for region, embedding in enumerate(embeddings, start=1):
            label = labels[room.frames.array(index, "semantics/regions") == region]
            assert len(set(label.tolist())) == 1
            assert np.allclose(embedding, class_vectors()[label[0] - 1], atol=1e-3)
        assert sample.regions.max() == len(embeddings)


def test_a_dataset_without_embeddings_says_which_stage_to_run(tmp_path: Path):
    with pytest.raises(NoEmbeddings, match="run its stage 'semantics' with the backend san"):
        SpokenFrames(stored_frames(tmp_path))


def test_a_dataset_of_two_text_spaces_is_refused(room: SpokenFrames, tmp_path: Path):
    shutil.copytree(room.frames.store.root, tmp_path / "data")
    store = Store(tmp_path / "data")
    copy_video(store, "room", "hall")
    hall = store.video("hall")
    embed_again(hall, hall.read("semantics", "region_embeddings"), {"clip.pth": "f" * 64})
    build_dataset(store, DatasetSettings())
    with pytest.raises(OtherWeights, match=r"(clip\.pth.*san_small|san_small.*clip\.pth)"):
        SpokenFrames(StoredFrames(store, "all"))


def test_a_region_without_embedding_names_the_stage(room: SpokenFrames, tmp_path: Path):
    shutil.copytree(room.frames.store.root, tmp_path / "data")
    video = Store(tmp_path / "data").video("room")
    embed_again(video, video.read("semantics", "region_embeddings")[:-1], dict(small_text().weights))
    frames = SpokenFrames(StoredFrames(Store(tmp_path / "data"), "all"))
    with pytest.raises(CorruptStore, match=r"room/5 has .* embeddings: run the stage 'semantics'"):
        frames[5]
