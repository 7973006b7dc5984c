"""Copies of a tour are recognised, other tours are not."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.sources.duplicates.fingerprints import Fingerprints, video_hashes
from pipeline.sources.duplicates.perceptual import clip_hashes, found_again
from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.store.store import Store
from tests.pipeline.videos import walk, write_video

SETTINGS = DuplicateSettings()
COUNT = 48


def film(seed: int) -> list[Images]:
    """Three shots along textured walls."""
    return [frame for part in range(3) for frame in walk(10 * seed + part, COUNT // 3, step=6.0)]


def cropped(frames: list[Images]) -> list[Images]:
    return [frame[10:-10, 12:-12] for frame in frames]


def smaller(frames: list[Images]) -> list[Images]:
    return [np.asarray(cv2.resize(frame, (200, 112)), np.uint8) for frame in frames]


def stamped(frames: list[Images]) -> list[Images]:
    marked = [frame.copy() for frame in frames]
    for frame in marked:
        cv2.rectangle(frame, (265, 210), (310, 226), (255, 255, 255), -1)
    return marked


def faster(frames: list[Images]) -> list[Images]:
    return frames[::2]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Fingerprints:
    """The fingerprints of three films."""
    folder = tmp_path_factory.mktemp("films")
    fingerprints = Fingerprints(Store(folder / "data"))
    for seed in range(3):
        fingerprints.add(f"film-{seed}", video_hashes(write_video(folder / f"{seed}.mp4", film(seed))))
    return fingerprints


@pytest.mark.parametrize("change", [cropped, smaller, stamped, faster, list])
def test_a_copy_is_recognised_and_another_film_is_not(
    tmp_path: Path, known: Fingerprints, change: Callable[[list[Images]], list[Images]]
):
    copy = video_hashes(write_video(tmp_path / "copy.mp4", change(film(2))))
    assert [match.video_id for match in known.alike(copy, SETTINGS)] == ["film-2"]


def test_a_film_that_says_nothing_is_like_no_other(tmp_path: Path):
    black = video_hashes(write_video(tmp_path / "black.mp4", [np.zeros((120, 160, 3), np.uint8)] * 20))
    assert len(black) == 0
    assert found_again(black, black, 64) == 0
    assert Fingerprints(Store(tmp_path)).alike(black, SETTINGS) == []


def test_an_index_that_was_lost_is_made_again(tmp_path: Path):
    store, hashes = Store(tmp_path), clip_hashes(np.stack(walk(3, 12)))
    Fingerprints(store).add("a", hashes)
    next(store.scratch.glob("*.sqlite")).unlink()
    assert [match.video_id for match in Fingerprints(store).alike(hashes, SETTINGS)] == ["a"]


def test_the_most_alike_comes_first_and_who_is_less_alike_than_asked_not_at_all(tmp_path: Path):
    fingerprints = Fingerprints(Store(tmp_path))
    whole = clip_hashes(np.stack(walk(3, 24, step=12.0)))
    fingerprints.add("half", np.concatenate([whole[: len(whole) // 2], clip_hashes(np.stack(walk(4, 12)))]))
    fingerprints.add("same", whole)
    found = fingerprints.alike(whole, DuplicateSettings(share=0.3))
    assert [match.video_id for match in found] == ["same", "half"]
    assert (found[0].share, 0.3 <= found[1].share < 1) == (1.0, True)
    assert [match.video_id for match in fingerprints.alike(whole, DuplicateSettings(share=1.0))] == ["same"]


def test_a_video_of_few_frames_is_like_no_other(tmp_path: Path):
    fingerprints, few = Fingerprints(Store(tmp_path)), clip_hashes(np.stack(walk(3, 5)))
    fingerprints.add("few", few)
    assert fingerprints.alike(few, DuplicateSettings(frames_min=6)) == []
    assert [match.video_id for match in fingerprints.alike(few, DuplicateSettings(frames_min=5))] == ["few"]
    longer = np.concatenate([few, clip_hashes(np.stack(walk(5, 3)))])
    assert fingerprints.alike(longer, DuplicateSettings(frames_min=6, share=0.1)) == [], "the known one is too short"


def test_what_another_process_added_is_found(tmp_path: Path):
    store, hashes = Store(tmp_path), clip_hashes(np.stack(walk(3, 12)))
    reader, elsewhere = Fingerprints(store), Fingerprints(Store(tmp_path, scratch=tmp_path / "elsewhere"))
    elsewhere.add("a", hashes)
    assert [match.video_id for match in reader.alike(hashes, SETTINGS)] == ["a"]


def test_a_video_that_was_read_again_is_known_by_what_it_shows_now(tmp_path: Path):
    """Whichever index follows: that of who noted it, another's, and one made anew."""
    before, after = (clip_hashes(np.stack(walk(seed, 12))) for seed in (3, 4))
    own = Fingerprints(Store(tmp_path))
    other = Fingerprints(Store(tmp_path, scratch=tmp_path / "elsewhere"))
    own.add("a", before)
    assert [match.video_id for match in other.alike(before, SETTINGS)] == ["a"]
    own.add("a", after)
    for fingerprints in (own, other, Fingerprints(Store(tmp_path, scratch=tmp_path / "anew"))):
        assert fingerprints.alike(before, SETTINGS) == []
        assert [match.video_id for match in fingerprints.alike(after, SETTINGS)] == ["a"]


def test_an_index_reads_no_file_of_fingerprints_twice(tmp_path: Path):
    """What others add costs what they have added, and not all that there is."""
    other = Fingerprints(Store(tmp_path, scratch=tmp_path / "elsewhere"))
    own = Fingerprints(Store(tmp_path))
    films = [clip_hashes(np.stack(walk(seed, 12))) for seed in range(9)]
    for number, film in enumerate(films[:8]):
        other.add(f"film-{number}", film)
    assert [match.video_id for match in own.alike(films[7], SETTINGS)] == ["film-7"]
    listed = {part["name"] for part in json.loads((tmp_path / "fingerprints" / "parts.json").read_text())["parts"]}
    other.add("film-8", films[8])
    for name in listed:
        (tmp_path / "fingerprints" / name).unlink(missing_ok=True)
    assert [match.video_id for match in own.alike(films[8], SETTINGS)] == ["film-8"]
    assert [match.video_id for match in own.alike(films[0], SETTINGS)] == ["film-0"], "though its file is gone"
