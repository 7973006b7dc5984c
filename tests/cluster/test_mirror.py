"""A video as one list told it: nothing is asked twice, and nothing is read that was not listed."""

import os
from pathlib import Path

import pytest

from pipeline.contract.errors import StageMissing
from pipeline.store.bucket_tree import BucketTree
from pipeline.store.mirror import WHOLE_BYTES, Mirror, ReplacedWhileRead
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket

ONE = ("videos", "tour-1", "one.json")


def test_of_a_held_video_nothing_is_asked_but_what_it_did_not_write(bucket: Bucket):
    store = Store(bucket.url)
    store.video("tour-1").write_json("one.json", {"by": "another"})
    video = store.video("tour-1")
    with video.locked():
        before = len(bucket.requests())
        assert video.read_json("one.json") == video.read_json("one.json") == {"by": "another"}
        assert not video.exists("two.json")
        assert len(bucket.requests()) == before + 1
        video.write_json("two.json", {"by": "this"})
        video.write_json("one.json", {"by": "this"})
        assert [video.read_json(name) for name in ("one.json", "two.json")] == [{"by": "this"}] * 2
        video.remove("two.json")
        video.remove("three.json")
        assert video.files.names(*video.folder) == ["one.json"]
        assert len(bucket.requests()) == before + 4
    assert store.names(*video.folder) == ["one.json"]
    assert not (store.scratch / "mirrors" / "tour-1").exists()


def test_a_reader_has_the_video_as_it_was_listed_or_is_told(bucket: Bucket, tmp_path: Path):
    store, elsewhere = Store(bucket.url), Store(bucket.url, tmp_path / "elsewhere")
    store.video("tour-1").write_json("one.json", {"version": 1})
    kept, late = store.video("tour-1").as_it_is(), elsewhere.video("tour-1").as_it_is()
    assert kept.read_json("one.json") == {"version": 1}
    store.video("tour-1").write_json("one.json", {"version": 2})
    store.video("tour-1").write_json("two.json", {})
    assert kept.read_json("one.json") == {"version": 1}
    with pytest.raises(ReplacedWhileRead, match=r"one\.json was made again while it was read"):
        late.read_json("one.json")
    with pytest.raises(StageMissing):
        late.read_json("two.json")
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 2}


def test_of_large_files_a_reader_gets_parts_and_their_ends_once(bucket: Bucket):
    store, content = Store(bucket.url), os.urandom(WHOLE_BYTES + 1)
    store.write_bytes(content, *ONE)
    assert isinstance(store.tree, BucketTree)
    mirror, name = Mirror(store.tree, "videos/tour-1", store.kept), "/".join(ONE)
    before = len(bucket.requests())
    assert mirror.part(name, {"suffix": 4}) == mirror.part(name, {"suffix": 4}) == content[-4:]
    assert mirror.part(name, (3, 9)) == content[3:9]
    assert mirror.part(name, {"offset": WHOLE_BYTES}) == content[WHOLE_BYTES:]
    assert len(bucket.requests()) == before + 3
    held = Mirror(store.tree, "videos/tour-1", store.kept, is_held=True)
    assert held.part(name, {"suffix": 4}) + held.part(name, (3, 9)) == content[-4:] + content[3:9]
    assert len(bucket.requests()) == before + 5


def test_what_a_machine_has_read_it_does_not_ask_for_again_until_it_is_another(bucket: Bucket):
    store = Store(bucket.url)
    store.video("tour-1").write_json("one.json", {"version": 1})
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 1}
    before = len(bucket.requests())
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 1}
    assert len(bucket.requests()) == before + 1, "a list"
    store.video("tour-1").write_json("one.json", {"version": 2})
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 2}
    with store.video("tour-1").locked():
        store.video("tour-1").write_json("one.json", {"version": 3})
    before = len(bucket.requests())
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 3}
    assert len(bucket.requests()) == before + 2


def test_what_is_kept_and_damaged_is_asked_for_again(bucket: Bucket):
    store = Store(bucket.url)
    store.video("tour-1").write_json("one.json", {"version": 1})
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 1}
    (kept,) = (store.scratch / "kept").iterdir()
    kept.write_bytes(b"\0" * kept.stat().st_size)
    assert store.video("tour-1").as_it_is().read_json("one.json") == {"version": 1}
