import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import StageMissing
from pipeline.contract.records import Segment
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, CatalogRow, VideoState, as_rows, as_table
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.paths import ROOT


def rows(*numbers: int) -> list[CatalogRow]:
    return [CatalogRow(f"video-{n}", VideoSource.of_origin(f"https://example.org/{n}.mp4", "feed f")) for n in numbers]


def test_a_row_reads_back_as_it_was_written():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    full = CatalogRow(
        "v",
        VideoSource.of_origin("https://a.org/o", "feed s"),
        "{}",
        "t",
        "u",
        moment,
        1.5,
        "cc",
        (Segment(0.5, float("inf")),),
        VideoState.RETRY,
        3,
        "E",
        moment,
    )
    bare = CatalogRow("w", VideoSource.of_origin("/films/o.mp4"))
    assert as_rows(as_table([full, bare])) == [full, bare]


def test_a_video_is_registered_once_and_keeps_its_number(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    assert catalog.register(rows(1, 2, 1)) == ["video-1", "video-2"]
    assert catalog.register(rows(2, 3)) == ["video-3"]
    assert catalog.table(["video_id", "number"]).to_pylist() == [
        {"video_id": f"video-{n}", "number": n - 1} for n in (1, 2, 3)
    ]


def test_a_change_is_seen_and_the_other_rows_stay(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(*range(50)))
    catalog.update(["video-7", "unknown"], lambda row: replace(row, state=VideoState.GONE, tries=row.tries + 1))
    assert catalog.row("video-7").state is VideoState.GONE
    assert len(catalog) == 50
    assert "video-7" not in catalog.table(["video_id"], ASKABLE)["video_id"].to_pylist()
    with pytest.raises(StageMissing):
        catalog.row("unknown")


def test_a_row_cannot_change_its_id(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(1))
    with pytest.raises(ValueError, match="keeps its id"):
        catalog.update(["video-1"], lambda row: replace(row, video_id="video-2"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=12), min_size=1, max_size=25))
def test_whatever_is_changed_in_whatever_order_the_last_word_holds(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]
):
    catalog = Catalog(Store(tmp_path_factory.mktemp("catalog")))
    expected: dict[str, int] = {}
    for batch in batches:
        catalog.register(rows(*batch))
        keys = list({f"video-{n}" for n in batch})
        catalog.update(keys, lambda row: replace(row, tries=row.tries + 1))
        expected |= {key: expected.get(key, 0) + 1 for key in keys}
    found = catalog.table(["video_id", "tries", "number"])
    assert dict(zip(found["video_id"].to_pylist(), found["tries"].to_pylist(), strict=True)) == expected
    assert found["number"].to_pylist() == list(range(len(expected)))
    assert {key: row.tries for key, row in catalog.rows(list(expected)).items()} == expected


def test_writers_that_are_killed_lose_nothing_that_was_there(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(*range(300)))
    program = (
        "import sys\nfrom dataclasses import replace\nfrom pipeline.sources.catalog.catalog import Catalog\n"
        "from pipeline.store.store import Store\ncatalog = Catalog(Store(sys.argv[1]))\n"
        "while True:\n    for n in range(300):\n"
        "        catalog.update([f'video-{n}'], lambda row: replace(row, tries=row.tries + 1))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    while sum(catalog.table(["tries"])["tries"].to_pylist()) < 20:
        assert all(writer.poll() is None for writer in writers)
        time.sleep(0.05)
    for writer in writers:
        writer.kill()
        writer.wait()
    assert len(catalog) == 300
    before = sum(catalog.table(["tries"])["tries"].to_pylist())
    catalog.update(["video-5"], lambda row: replace(row, tries=row.tries + 1))
    assert sum(catalog.table(["tries"])["tries"].to_pylist()) == before + 1
