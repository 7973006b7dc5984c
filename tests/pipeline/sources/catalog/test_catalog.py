import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import StageMissing
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, CatalogRow, VideoState
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.paths import ROOT


def rows(*numbers: int) -> list[CatalogRow]:
    return [CatalogRow(f"video-{n}", VideoSource.of_origin(f"https://example.org/{n}.mp4", "feed f")) for n in numbers]


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


def test_sources_are_registered_and_named_in_their_order_each_once(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    tours = [VideoSource.of_origin(f"tour://{seed}") for seed in (7, 5, 7)]
    assert catalog.add(tours) == ["tour-7", "tour-5"]
    assert catalog.add(tours[1:]) == ["tour-5", "tour-7"], "known ones are named too"
    assert catalog.video_ids() == ["tour-7", "tour-5"]
    assert catalog.known(["tour-5", "tour-6"]) == {"tour-5"}


def test_a_registered_video_stays_as_it_is_when_it_is_listed_again(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(1))
    catalog.update(["video-1"], lambda row: replace(row, state=VideoState.GONE))
    assert catalog.register([replace(rows(1)[0], title="another title")]) == []
    assert (catalog.row("video-1").state, catalog.row("video-1").title) == (VideoState.GONE, "")


def test_every_change_is_dated(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(1))
    registered = catalog.row("video-1").when
    assert registered is not None
    catalog.update(["video-1"], lambda row: replace(row, tries=1, when=None))
    changed = catalog.row("video-1").when
    assert changed is not None
    assert changed >= registered


def test_rows_are_chosen_by_state_and_given_in_order_of_registration(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(3, 1, 2))
    catalog.update(["video-1"], lambda row: replace(row, state=VideoState.FETCHED))
    assert catalog.table(["video_id"])["video_id"].to_pylist() == ["video-3", "video-1", "video-2"]
    fetched = catalog.table(["video_id", "state"], [VideoState.FETCHED])
    assert fetched.to_pylist() == [{"video_id": "video-1", "state": "fetched"}]
    assert catalog.table(["video_id"], []).num_rows == 0


def test_a_finished_video_is_noted_once_and_counts_as_fetched(tmp_path: Path):
    catalog = Catalog(Store(tmp_path))
    catalog.register(rows(1))
    catalog.mark_built("video-1", "0123")
    row = catalog.row("video-1")
    assert (row.state, row.built, row.next_try) == (VideoState.FETCHED, "0123", None)
    before = catalog._rows.listing()
    catalog.mark_built("video-1", "0123")
    catalog.mark_built("nobody", "0123")
    assert catalog._rows.listing() == before, "nothing is written where nothing changes"
    catalog.mark_built("video-1", "4567")
    assert catalog.row("video-1").built == "4567"


def test_a_video_that_was_never_listed_says_what_to_do(tmp_path: Path):
    with pytest.raises(StageMissing, match=r"nobody is not in the catalog: list its source in sources\.yaml"):
        Catalog(Store(tmp_path)).row("nobody")


def test_what_is_read_in_a_change_holds_until_it_is_written(tmp_path: Path):
    first, second = Catalog(Store(tmp_path)), Catalog(Store(tmp_path))
    waiting = threading.Thread(target=lambda: second.register(rows(1)))

    def work() -> None:
        waiting.start()
        waiting.join(timeout=0.2)
        assert waiting.is_alive()
        assert len(first) == 0

    first.change(work)
    waiting.join()
    assert len(first) == 1


@settings(max_examples=8)
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
