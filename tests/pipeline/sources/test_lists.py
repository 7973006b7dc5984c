from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenListing
from pipeline.contract.records import Segment
from pipeline.sources.lists import read_list
from pipeline.sources.skipped import SkippedRows

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


IDS = [f"abcdefghi{number:02d}" for number in range(4)]


def read(path: Path) -> tuple[list[str], list[str]]:
    """The ids that a list gives, and what was said of its other rows."""
    skipped = SkippedRows()
    return [found.origin[-11:] for found in read_list(path, skipped=skipped)], skipped.named


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("n/a,,", "'n/a' is no id of YouTube's and no URL"),
        ("abcdefghi09,2,2", "a stretch from 2 to 2 s holds nothing"),
        ("abcdefghi09,soon,4", "'soon' is no time: write 75, 1:15 or 0:01:15.5"),
        (",1,4", "it names no video"),
        ("file:///etc/passwd,1,4", "file:///etc/passwd"),
        ('"abcdefghi09,1,4', "it opens a quote and does not close it"),
        ("x" * 70_000, "it is longer than 65536 characters"),
    ],
)
def test_a_bad_row_is_skipped_alone_and_named(tmp_path: Path, row: str, why: str):
    good = [f"{key},1,4" for key in IDS]
    (tmp_path / "a.csv").write_text("\n".join(["id,start,end", *good[:2], row, *good[2:], '"abcdefghi04","1","4"']))
    found, named = read(tmp_path / "a.csv")
    assert found == [*IDS, "abcdefghi04"]
    assert len(named) == 1
    assert named[0].startswith("line 4: ")
    assert why in named[0]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id;start;end\n{0};1,5;4\n{1};1,5;4\n{2};1,5;4\n{3};1,5;4\n", "utf-8"),
        ("sep=;\r\nid;start;end\r\n{0};1,5;4\r\n{1};1,5;4\r\n{2};1,5;4\r\n{3};1,5;4\r\n", "utf-8"),
        ("id,start,end\n{0},1.5,4\n{1},1.5,4\n{2},1.5,4\n{3},1.5,4\n", "utf-16"),
        ("id,start,end\n{0},1.5,4\n{1},1.5,4\n{2},1.5,4\n{3},1.5,4\n", "utf-16-le"),
        (
            (
                '# mine\r\n"id","start","end","title"\r\n"{0}","1.5",4,"a, ""b""\n[c]"\r\n{1},1.5,4\r\n# {2}\r\n'
                "{2},1.5,4\r\n{3},1.5,4"
            ),
            "utf-8-sig",
        ),
        ("{0};1,5;4\n{1};1,5;4\n{2};1,5;4\n{3};1,5;4\n", "utf-8"),
        ("title\tid\tstart\tend\nKüche\t{0}\t1.5\t4\nx\t{1}\t1.5\t4\nx\t{2}\t1.5\t4\nx\t{3}\t1.5\t4\n", "cp1252"),
        ("# YTID, start_seconds, end_seconds\n{0}, 1.5, 4\n{1}, 1.5, 4\n{2}, 1.5, 4\n{3}, 1.5, 4\n", "utf-8"),
    ],
)
def test_lists_are_read_as_programs_save_them(tmp_path: Path, content: str, encoding: str):
    (tmp_path / "a.csv").write_bytes(content.format(*IDS).encode(encoding))
    found = list(read_list(tmp_path / "a.csv"))
    assert [video.origin[-11:] for video in found] == IDS
    assert {video.segments for video in found} == {(Segment(1.5, 4),)}


def test_addresses_need_no_scheme_and_comments_are_none(tmp_path: Path):
    lines = [
        "# my list",
        f"youtube.com/watch?v={IDS[0]}",
        f"www.youtube.com/watch?v={IDS[1]}",
        "",
        f"youtu.be/{IDS[2]}",
    ]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    assert read(tmp_path / "a.txt") == (IDS[:3], [])
    assert all(found.origin.startswith("https://") for found in read_list(tmp_path / "a.txt"))


def test_a_null_id_costs_its_row_of_a_parquet_list(tmp_path: Path):
    pq.write_table(pa.table({"id": [IDS[0], None, IDS[1]], "start": [1.0, 2.0, None]}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == (IDS[:2], ["row 2: it names no video"])


def test_an_empty_file_of_realestate10k_costs_that_file(tmp_path: Path):
    for number, key in enumerate(IDS):
        (tmp_path / f"{number}.txt").write_text(f"https://www.youtube.com/watch?v={key}\n2000000 0.4\n")
    (tmp_path / "1.txt").write_text("")
    assert read(tmp_path) == ([IDS[0], *IDS[2:]], ["1.txt: its first line is empty"])


def test_a_list_of_bad_rows_alone_is_an_error_that_names_some(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id\nn/a\nn/a\n")
    with pytest.raises(BrokenListing, match="not one of 2 rows is a video: line 2: 'n/a'"):
        read(tmp_path / "a.csv")
