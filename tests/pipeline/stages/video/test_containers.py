"""Files cut off in transfer are told by what their container announces."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenVideo
from pipeline.stages.video.containers import BOX_TYPES, check_whole
from tests.pipeline.videos import numbered, write_video


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def large_box(kind: bytes, content: bytes) -> bytes:
    """A box whose length stands in 64 bits behind its type (ISO/IEC 14496-12, 4.2)."""
    return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "source.mp4"


@pytest.mark.parametrize("flags", ["", "faststart", "frag_keyframe+empty_moov"])
def test_a_real_film_is_whole_and_cut_anywhere_it_is_not(path: Path, flags: str):
    write_video(path, numbered(6, 64, 48), options={"movflags": flags} if flags else None)
    check_whole(path)
    content = path.read_bytes()
    for size in (len(content) - 1, len(content) // 2, 60):
        path.write_bytes(content[:size])
        with pytest.raises(BrokenVideo, match=rf"source\.mp4 is cut off: .* of {size} bytes"):
            check_whole(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"RIFF____AVI LIST" * 9,
        b"\x1a\x45\xdf\xa3" + bytes(100),
        b"This is not a video.\n" * 20,
    ],
)
def test_other_containers_are_passed_over(path: Path, content: bytes):
    path.write_bytes(content)
    check_whole(path)


def test_boxes_of_any_length_are_walked(path: Path):
    path.write_bytes(box(b"ftyp", b"isom") + large_box(b"mdat", bytes(300)) + box(b"moov", bytes(20)))
    check_whole(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenVideo, match="moov"):
        check_whole(path)


def test_a_box_that_reaches_to_the_end_of_the_file_cannot_be_cut_off(path: Path):
    path.write_bytes(box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + bytes(77))
    check_whole(path)


@pytest.mark.parametrize("length", [2, 7])
def test_a_box_shorter_than_its_own_head_ends_the_walk(path: Path, length: int):
    path.write_bytes(box(b"ftyp", b"isom") + struct.pack(">I4s", length, b"mdat") + bytes(77))
    with pytest.raises(BrokenVideo):
        check_whole(path)


def test_a_large_box_without_its_length_is_cut_off(path: Path):
    path.write_bytes(box(b"ftyp", b"isom") + struct.pack(">I4s", 1, b"mdat") + b"\x00" * 3)
    with pytest.raises(BrokenVideo):
        check_whole(path)


@given(st.sampled_from(BOX_TYPES), st.binary(max_size=60))
@settings(max_examples=40)
def test_whatever_follows_the_first_box_the_walk_ends(
    tmp_path_factory: pytest.TempPathFactory, kind: bytes, rest: bytes
):
    path = tmp_path_factory.mktemp("box") / "source.mp4"
    path.write_bytes(box(kind, b"") + rest)
    with contextlib.suppress(BrokenVideo):
        check_whole(path)
    path.write_bytes(box(kind, rest) + struct.pack(">I4s", 0, b"mdat") + rest)
    check_whole(path)
