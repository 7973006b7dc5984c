"""Of videos that bring one file, one is the first, whoever asks and whatever became of the sheets."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.duplicates.claims import FOLDER, first_with
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store

FILE, OTHER = "abc" + "0" * 61, "abc" + "1" * 61


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    found = Catalog(Store(tmp_path))
    found.register(CatalogRow(name, VideoSource(kind="tour", origin=f"tour://{n}")) for n, name in enumerate("abcd"))
    return found


def bring(catalog: Catalog, video_id: str, sha256: str) -> str:
    """Note what a video brought, and return who brought it first."""
    catalog.update([video_id], lambda row: replace(row, sha256=sha256))
    return first_with(catalog, video_id, sha256)


def sheet(catalog: Catalog) -> Path:
    """Return where the claims on both files lie."""
    (path,) = Path(str(catalog.files.root)).glob(f"scratch/{FOLDER}/abc.json")
    return path


def test_the_first_to_bring_a_file_stays_it(catalog: Catalog):
    assert bring(catalog, "b", FILE) == "b"
    assert bring(catalog, "a", FILE) == "b", "though it was registered later"
    assert bring(catalog, "c", OTHER) == "c"
    assert bring(catalog, "b", FILE) == "b", "it is fetched once more"


@pytest.mark.parametrize("change", [{"state": VideoState.REJECTED}, {"sha256": OTHER}, {"sha256": ""}])
def test_a_claim_that_the_catalog_does_not_know_of_is_none(catalog: Catalog, change: dict[str, str]):
    bring(catalog, "a", FILE)
    catalog.update(["a"], lambda row: replace(row, **change))  # type: ignore[arg-type]
    assert bring(catalog, "b", FILE) == "b"
    assert bring(catalog, "c", FILE) == "b"


def test_a_claim_of_a_video_that_is_in_no_catalog_is_none(catalog: Catalog):
    bring(catalog, "a", FILE)
    sheet(catalog).write_text(sheet(catalog).read_text().replace('"a"', '"nobody"'))
    assert bring(catalog, "b", FILE) == "b"


def test_what_another_process_has_noted_since_the_catalog_was_read_counts(tmp_path: Path):
    steady, other = Catalog(Store(tmp_path), is_steady=True), Catalog(Store(tmp_path))
    other.register(CatalogRow(name, VideoSource(kind="tour", origin=f"tour://{ord(name)}")) for name in "ab")
    assert steady.video_ids() == ["a", "b"]
    steady.update(["b"], lambda row: replace(row, sha256=FILE))
    assert bring(other, "a", FILE) == "a", "who claims first is first"
    assert first_with(steady, "b", FILE) == "a"


@pytest.mark.parametrize("damage", [None, b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_sheet_that_is_gone_or_damaged_is_made_from_the_catalog(catalog: Catalog, damage: bytes | None):
    bring(catalog, "b", FILE)
    catalog.update(["b"], lambda row: replace(row, state=VideoState.FETCHED))
    bring(catalog, "d", OTHER)
    catalog.update(["a"], lambda row: replace(row, sha256=FILE))
    if damage is None:
        sheet(catalog).unlink()
    else:
        sheet(catalog).write_bytes(damage)
    assert first_with(catalog, "a", FILE) == "b", "what is there goes before what was registered earlier"
    assert bring(catalog, "c", OTHER) == "d"


def test_videos_of_an_earlier_release_were_first(catalog: Catalog):
    catalog.update(["a", "b"], lambda row: replace(row, sha256=FILE))
    assert bring(catalog, "c", FILE) == "a"
