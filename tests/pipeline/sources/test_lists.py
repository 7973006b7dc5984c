from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenListing
from pipeline.contract.records import Segment
from pipeline.sources.lists import read_list

ID = "dQw4w9WgXcQ"
WATCH = f"https://www.youtube.com/watch?v={ID}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"video_id,start,end,title\n{ID},1:00,75,Kitchen\n"),
        ("b.csv", f"{ID},60,75\n"),
        ("c.tsv", f"URL\tStart\tEnd\nhttps://www.youtube.com/watch?v={ID}\t60\t75\n"),
    ],
)
def test_a_table_of_text_names_videos_and_stretches(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content)
    (found,) = read_list(tmp_path / name)
    assert (found.origin, found.segments) == (WATCH, (Segment(60, 75),))


def test_a_parquet_list_names_videos_and_open_stretches(tmp_path: Path):
    pq.write_table(pa.table({"id": [ID, ID], "start": [3.5, None]}), tmp_path / "ids.parquet")
    first, second = read_list(tmp_path / "ids.parquet")
    assert first.segments == (Segment(3.5, float("inf")),)
    assert second.segments == ()


def test_realestate10k_folders_name_a_stretch_a_file(tmp_path: Path):
    line = " 0.4 0.8 0.5 0.5 0 0 1 0 0 0 0 1 0 0 0 0 1 0\n"
    (tmp_path / "0a.txt").write_text(f"{WATCH}\n2000000{line}4000000{line}")
    (found,) = read_list(tmp_path)
    assert found.origin == WATCH
    assert found.segments[0] == pytest.approx((2.0, 4.0 + 1 / 30))


@pytest.mark.parametrize(
    "content",
    [
        "title\nKitchen\n",
        "id\n../../etc/passwd\n",
        "url\nfile:///etc/passwd\n",
        "url\nhttp://a:b@example.org/\n",
        f"id,start,end\n{ID},9,3\n",
        "id\n" + "x" * 100_000 + "\n",
    ],
)
def test_a_list_with_anything_else_is_refused(tmp_path: Path, content: str):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(BrokenListing):
        list(read_list(tmp_path / "a.csv"))


def test_a_missing_or_damaged_list_is_refused(tmp_path: Path):
    (tmp_path / "a.parquet").write_text("PAR1")
    for name in ("a.parquet", "b.csv"):
        with pytest.raises(BrokenListing):
            list(read_list(tmp_path / name))


def test_a_row_group_of_any_size_is_refused_before_it_is_read(tmp_path: Path):
    pq.write_table(pa.table({"id": ["dQw4w9WgXcQ"] * 1_000_000}), tmp_path / "a.parquet")
    with pytest.raises(BrokenListing, match=r"row_group_bytes_max"):
        next(read_list(tmp_path / "a.parquet", 1_000_000))
    assert next(read_list(tmp_path / "a.parquet")).origin.endswith("dQw4w9WgXcQ")
