"""Teacher san_stem: the small network's convolutions alone."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.training.rooms import RoomFrames
from training.errors import WrongCheckpoint
from training.teachers.load import load_teacher


def test_the_stem_of_the_small_san_is_a_teacher_of_the_same_width_and_shape():
    picture = torch.from_numpy(RoomFrames(1)[0].rgb).permute(2, 0, 1)[None]
    tower, stem = (load_teacher(kind, "san_small") for kind in ("san", "san_stem"))
    maps = [teacher.features(picture) for teacher in (tower, stem)]
    assert maps[0].shape == maps[1].shape == (1, tower.width, *maps[0].shape[2:])
    assert not torch.allclose(*maps)
    assert tower.name != stem.name, "what is cached is found by name and weights"
    with pytest.raises(WrongCheckpoint, match="san_stem"):
        load_teacher("san_trunk", "san_small")


def test_a_released_network_has_no_stem(tmp_path: Path):
    from models.san.name_seeded import TINY, name_seeded_san

    state = {name: value.contiguous() for name, value in name_seeded_san(TINY).state_dict().items()}
    save_file(state, tmp_path / "released.safetensors")
    with pytest.raises(WrongCheckpoint, match=r"released\.safetensors is a released SAN, which has no stem"):
        load_teacher("san_stem", str(tmp_path / "released.safetensors"))


def test_pictures_of_any_shape_give_maps_without_their_padding():
    teacher = load_teacher("san_stem", "san_small")
    wide, square = (teacher.features(torch.zeros(2, 3, *size, dtype=torch.uint8)) for size in ((240, 480), (320, 320)))
    assert wide.shape[3] == 2 * wide.shape[2]
    assert square.shape[2] == square.shape[3]
    assert len(wide) == 2
