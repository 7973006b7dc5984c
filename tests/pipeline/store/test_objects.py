"""Objects with versions in a folder: what was read is what is replaced, or nothing is."""

import pickle
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.contract.errors import WrittenMeanwhile
from pipeline.store.files import Files
from pipeline.store.objects import ABSENT, Expected, Objects, changed, found


@pytest.fixture(params=["folder", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """In a folder of this machine and in memory."""
    url = str(tmp_path / "data") if request.param == "folder" else f"memory://{uuid4().hex}/set"
    return Files(url, scratch=tmp_path / "scratch").objects


def test_what_is_put_is_got_with_a_version_of_its_own(objects: Objects):
    assert found(objects, "catalog/list") == (None, None)
    first = objects.put("catalog/list", b"one")
    assert objects.get("catalog/list") == (b"one", first)
    second = objects.put("catalog/list", b"two", Expected(first))
    assert objects.get("catalog/list") == (b"two", second)
    assert first != second
    assert objects.listed("catalog")["list"] == (3, second)
    assert objects.listed("nothing") == {}


def test_nothing_is_written_over_what_was_not_expected(objects: Objects):
    first = objects.put("list", b"one", ABSENT)
    for expected in (ABSENT, Expected(objects.put("other", b"two"))):
        with pytest.raises(WrittenMeanwhile, match="list was changed by another process"):
            objects.put("list", b"three", expected)
    with pytest.raises(WrittenMeanwhile):
        objects.put("nowhere", b"three", Expected(first))
    assert objects.get("list") == (b"one", first)
    assert found(objects, "nowhere") == (None, None)


def test_changes_of_many_threads_are_all_made(objects: Objects):
    def count() -> None:
        for _ in range(10):
            changed(objects, "count", lambda before: str(int(before or b"0") + 1).encode())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert objects.get("count")[0] == b"40"


def test_a_change_that_leaves_all_as_it_is_writes_nothing(tmp_path: Path):
    files = Files(tmp_path)
    files.objects.put("note", b"one")
    before = (tmp_path / "note").stat()
    assert changed(files.objects, "note", lambda _: None) == b"one"
    assert changed(files.objects, "note", lambda _: b"one") == b"one"
    assert (tmp_path / "note").stat().st_mtime_ns == before.st_mtime_ns
    assert changed(files.objects, "nothing", lambda _: None) is None


def test_files_go_to_other_processes_without_their_connections(tmp_path: Path):
    files = Files(tmp_path)
    files.objects.put("note", b"one")
    again = pickle.loads(pickle.dumps(files))  # noqa: S301 - of ours
    assert again.objects.get("note") == files.objects.get("note")
