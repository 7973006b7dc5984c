"""What a group consists of: a lost file is told from an empty one, at every opening and by content."""

import hashlib
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from pipeline.contract.errors import CorruptStore
from pipeline.store.contents import LISTED, Listed, altered, contents, parsed_contents, require
from pipeline.store.files import Files
from pipeline.store.frames import FrameReader
from pipeline.store.groups import SCENE_ZARR
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

GROUP = (*("videos", "a"), SCENE_ZARR, "semantics")


@pytest.fixture(params=["folder", "bucket"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> VideoStore:
    url = str(tmp_path / "data") if request.param == "folder" else f"memory://{uuid4().hex}/set"
    made = Store(url, scratch=tmp_path / "scratch").video("a")
    with made.write_group("semantics") as group:
        group.append("moving", np.zeros((130, 4, 4), bool))
        group.append("labels", np.full((130, 4, 4), 3, np.uint8))
    return made


def shards(video: VideoStore, array: str) -> list[str]:
    return [name for name in video.listed("semantics") or {} if name.startswith(f"{array}/c/")]


def test_the_list_names_every_file_but_the_metadata_it_lies_in(tmp_path: Path):
    (tmp_path / "depth").mkdir()
    for name, content in (("zarr.json", b"{}"), ("depth/zarr.json", b"{ }"), ("depth/0", b"")):
        (tmp_path / name).write_bytes(content)
    assert contents(tmp_path) == {
        "depth/0": Listed(0, hashlib.sha256(b"").hexdigest()),
        "depth/zarr.json": Listed(3, hashlib.sha256(b"{ }").hexdigest()),
    }
    assert parsed_contents(None) is None
    assert parsed_contents({"a": [1, "0f"]}) == {"a": Listed(1, "0f")}
    with pytest.raises(ValueError, match="validation error"):
        parsed_contents({"a": "1"})


def test_rows_of_zeros_have_files_as_all_others_have(video: VideoStore):
    assert len(shards(video, "moving")) == len(shards(video, "labels")) == 3


def test_what_is_listed_is_there_as_it_was_written(video: VideoStore):
    listed = video.listed("semantics")
    assert listed is not None
    assert LISTED not in video.attributes("semantics")
    require(video.files, GROUP, listed, "moving")
    assert list(altered(video.files, GROUP, listed)) == []


@pytest.mark.parametrize("array", ["moving", "labels"])
def test_no_lost_or_shortened_file_reads_as_zeros(video: VideoStore, array: str):
    files, lost = video.files, shards(video, array)[1]
    whole = files.read_bytes(*GROUP, lost)
    for damage in ("lost", "shortened"):
        files.remove(*GROUP, lost)
        if damage == "shortened":
            files.write_bytes(whole[:-1], *GROUP, lost)
        with pytest.raises(CorruptStore, match="is missing" if damage == "lost" else "instead of") as found:
            video.read("semantics", array, slice(70, 71))
        assert found.value.group == "semantics"
        with pytest.raises(CorruptStore):
            FrameReader(files).read("a", f"semantics/{array}", 70)
        assert list(altered(files, GROUP, video.listed("semantics") or {})) == [lost]


def test_a_bit_that_flipped_is_found_by_content(video: VideoStore):
    name = shards(video, "labels")[0]
    whole = bytearray(video.files.read_bytes(*GROUP, name))
    whole[len(whole) // 2] ^= 1
    video.files.write_bytes(bytes(whole), *GROUP, name)
    assert list(altered(video.files, GROUP, video.listed("semantics") or {})) == [name]


def test_a_group_from_before_there_were_lists_is_read_as_far_as_it_is_there(tmp_path: Path):
    files = Files(tmp_path)
    require(files, ("videos", "a"), {}, "depth")
    assert list(altered(files, ("videos", "a"), {})) == []
