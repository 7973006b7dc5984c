"""Files by name, in a folder of this machine and in an object store."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest
import zarr

from pipeline.contract.errors import CorruptStore, DiskFull, SettingsError
from pipeline.store.files import Files
from tests.pipeline.small_files import files_limited_to


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """The same in a folder and in memory, which fsspec treats as it does a bucket."""
    url = str(tmp_path / "data") if request.param == "folder" else f"memory://{uuid4().hex}/set"
    return Files(url, scratch=tmp_path / "scratch")


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than ``tmp_path``, where the machine has one."""
    memory = Path("/dev/shm")  # noqa: S108 - a file system of its own
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    folder = memory / uuid4().hex
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_what_is_written_is_read_and_what_is_removed_is_gone(files: Files):
    assert not files.exists("videos", "a", "note.json")
    files.write_bytes(b"one", "videos", "a", "note.json")
    files.write_bytes(b"two", "videos", "a", "note.json")
    assert files.exists("videos", "a", "note.json")
    assert files.read_bytes("videos", "a", "note.json") == b"two"
    files.remove("videos", "a", "note.json")
    assert not files.exists("videos", "a", "note.json")
    files.remove("videos", "a", "note.json")


def test_a_missing_file_is_missing_however_it_is_asked_for(files: Files):
    with pytest.raises(FileNotFoundError):
        files.read_bytes("nothing")
    with pytest.raises(FileNotFoundError), files.open("nothing"):
        pass
    with pytest.raises(FileNotFoundError), files.open_parquet("nothing.parquet"):
        pass


def test_a_file_is_opened_for_reading_a_part(files: Files):
    files.write_bytes(b"0123456789", "numbers")
    with files.open("numbers") as file:
        file.seek(4)
        assert file.read(3) == b"456"


def test_a_folder_is_removed_with_all_that_is_below_it_and_nothing_else(files: Files):
    for name in ("scene/depth/0", "scene/zarr.json", "scenery/zarr.json"):
        files.write_bytes(b"x", *name.split("/"))
    files.remove_folder("scene")
    assert not files.exists("scene", "depth", "0")
    assert files.exists("scenery", "zarr.json")
    files.remove_folder("scene")


def test_a_finished_file_is_moved_to_its_place(files: Files, tmp_path: Path):
    made = tmp_path / "made.mp4"
    made.write_bytes(b"film")
    files.place(made, "videos", "a", "source.mp4")
    assert files.read_bytes("videos", "a", "source.mp4") == b"film"
    assert not made.exists()


def test_nothing_stays_in_scratch(files: Files):
    files.write_bytes(b"one", "a")
    files.write_table(pa.table({"n": [1]}), "b.parquet")
    assert [path for path in files.scratch.rglob("*") if path.is_file()] == []


def test_tables_keep_columns_types_and_metadata(files: Files):
    table = pa.table({"clip_id": pa.array([1, 2], pa.int32()), "name": ["ü", None]}).replace_schema_metadata({"k": "v"})
    files.write_table(table, "clips.parquet")
    found = files.read_table("clips.parquet")
    assert found.equals(table, check_metadata=True)
    with files.open_parquet("clips.parquet") as opened:
        assert opened.read(["clip_id"]).column_names == ["clip_id"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"junk" * 50])
def test_what_is_no_table_is_named_with_what_to_do(files: Files, content: bytes):
    files.write_bytes(content, "clips.parquet")
    with pytest.raises(CorruptStore, match=r"clips\.parquet is no Parquet file .* delete it"):
        files.read_table("clips.parquet")


def test_a_table_cut_short_is_no_table(files: Files):
    files.write_table(pa.table({"n": list(range(1000))}), "numbers.parquet")
    whole = files.read_bytes("numbers.parquet")
    files.write_bytes(whole[: len(whole) // 2], "numbers.parquet")
    with pytest.raises(CorruptStore):
        files.read_table("numbers.parquet")


def test_arrays_are_opened_for_reading_alone(files: Files):
    location = files.zarr_location("scene.zarr")
    assert location.read_only
    with pytest.raises(ValueError, match="read-only"):
        zarr.create_array(location, shape=(1,), dtype="u1")


def test_names_are_joined_below_the_root_with_or_without_a_slash_at_its_end(tmp_path: Path):
    for url in (str(tmp_path), f"{tmp_path}/"):
        assert Files(url).path("videos", "a") == f"{tmp_path}/videos/a"


def test_work_in_progress_lies_beside_the_data_or_on_a_local_disk(tmp_path: Path):
    assert Files(tmp_path).scratch == tmp_path / "scratch"
    assert Files(tmp_path, tmp_path / "fast").scratch == tmp_path / "fast"
    remote = Files("memory://bucket/set")
    assert not remote.is_local()
    assert remote.scratch.is_relative_to(Path.home())


@pytest.mark.parametrize("write", ["bytes", "place"])
def test_a_full_disk_leaves_the_old_content_and_nothing_in_scratch(tmp_path: Path, other_disk: Path, write: str):
    files = Files(tmp_path, scratch=other_disk)
    files.write_bytes(b"old", "note")
    if write == "bytes":
        with files_limited_to(1000), pytest.raises(DiskFull):
            files.write_bytes(bytes(5000), "note")
    else:
        made = other_disk / "made"
        made.write_bytes(bytes(5000))
        with files_limited_to(1000), pytest.raises(OSError, match="File too large"):
            files.place(made, "note")
        made.unlink()
    assert files.read_bytes("note") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["note"]
    assert [path for path in other_disk.rglob("*") if path.is_file()] == []


def test_a_file_from_another_disk_arrives_whole_and_leaves_no_trace(tmp_path: Path, other_disk: Path):
    files = Files(tmp_path, scratch=other_disk)
    files.write_bytes(b"one", "videos", "note")
    files.write_bytes(b"two", "videos", "note")
    assert files.read_bytes("videos", "note") == b"two"
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["note"]
    assert [path for path in other_disk.rglob("*") if path.is_file()] == []


def test_a_folder_in_the_way_is_an_error_and_stays_as_it_is(tmp_path: Path):
    files = Files(tmp_path)
    files.write_bytes(b"inside", "note", "inner")
    with pytest.raises(OSError, match="note"):
        files.write_bytes(b"new", "note")
    assert files.read_bytes("note", "inner") == b"inside"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["note", "scratch"]
    assert [path for path in files.scratch.rglob("*") if path.is_file()] == []


def test_readers_see_the_old_content_or_the_new_one_and_never_a_part(tmp_path: Path):
    files, contents = Files(tmp_path), (b"a" * 300_000, b"b" * 200_000)
    files.write_bytes(contents[0], "note")
    stop = threading.Event()

    def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            files.write_bytes(contents[turn % 2], "note")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert {files.read_bytes("note") for _ in range(200)} <= set(contents)
    finally:
        stop.set()
        writer.join()


def test_chained_file_systems_are_refused():
    with pytest.raises(SettingsError, match="chains file systems"):
        Files("a::b")
