"""Whoever may only read a bucket reads all of it: its server refuses every write, and none is tried."""

from pathlib import Path

import pytest

from pipeline.store.store import Store
from tests.cluster.conftest import Bucket
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.cli.runs import output

READERS = (
    ("verify", "1 videos read, 0 problems"),
    ("query", "chair", "contact sheet"),
    ("query", "--prompts", "words.txt", "zero-shot labels"),
    ("status", VIDEO),
    ("view", VIDEO, "--out", "page.html", "page.html"),
    ("settings", "--why", "the dataset, as"),
    ("rejects", "--out", "rejects", ""),
    ("manifest", "tours.parquet", "tours.parquet"),
    ("sources", "states", ""),
)
"""Commands, each with a word of what it says."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built dataset, as an earlier release wrote it and without a mark that says whose it is."""
    return unpack_earlier_dataset(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: " ".join(reader[:2]))
def test_a_reader_needs_no_right_to_write(
    bucket: Bucket, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: tuple[str, ...]
):
    (tmp_path / "words.txt").write_text("a chair\na wall\n")
    monkeypatch.chdir(tmp_path)
    files = [path for path in data.rglob("*") if path.is_file() and path.relative_to(data).parts[0] != "scratch"]
    objects = Store(bucket.url).tree
    for path in files:
        copy = tmp_path / "copy"
        copy.write_bytes(path.read_bytes())
        objects.put(copy, path.relative_to(data).as_posix())
    before = len(bucket.requests())
    with bucket.having("read_only"):
        assert reader[-1] in output(*reader[:-1], "--data", bucket.url)
    assert {line.split()[1] for line in bucket.requests()[before:]} <= {"GET", "HEAD"}
