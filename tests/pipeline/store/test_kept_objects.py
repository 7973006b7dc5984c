"""What is kept of a bucket: each state of an object by itself, whole or not at all, and not too much of it."""

from pathlib import Path

import pytest

from pipeline.store import kept_objects
from pipeline.store.kept_objects import KeptObjects


def test_every_state_of_an_object_is_kept_by_itself(tmp_path: Path):
    kept = KeptObjects(tmp_path / "kept")
    assert kept.get("a", "1") is None
    kept.keep("a", "1", b"one")
    kept.keep("a", "2", b"two")
    kept.keep("b", "1", b"")
    assert [kept.get("a", "1"), kept.get("a", "2"), kept.get("b", "1"), kept.get("b", "2")] == [
        b"one",
        b"two",
        b"",
        None,
    ]


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 35])
def test_what_is_damaged_is_not_kept(tmp_path: Path, damage: bytes):
    kept = KeptObjects(tmp_path)
    kept.keep("a", "1", b"one")
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert kept.get("a", "1") is None
    kept.keep("a", "1", b"one")
    assert kept.get("a", "1") == b"one"


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    kept = KeptObjects(tmp_path / "file" / "kept")
    kept.keep("a", "1", b"one")
    assert kept.get("a", "1") is None


def test_the_oldest_goes_first_and_room_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_objects, "MOST_BYTES", 1000)
    monkeypatch.setattr(kept_objects, "SWEPT_AFTER", 100)
    kept = KeptObjects(tmp_path)
    for number in range(50):
        kept.keep(str(number), "", bytes(100))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000 + 132
    assert kept.get("49", "") is not None
    assert kept.get("0", "") is None
