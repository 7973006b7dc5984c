"""Several hosts that write the catalog of one bucket at once lose nothing."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket
from tests.paths import ROOT

CHANGES = 20


def test_two_hosts_that_register_at_once_lose_no_row_and_give_no_number_twice(bucket: Bucket, tmp_path: Path):
    with ExitStack() as running:
        hosts = []
        for name in ("a", "b"):
            command = [sys.executable, "-m", "tests.cluster.hosts", "register", bucket.url, name, str(CHANGES)]
            environment = bucket.environment(tmp_path / name)
            hosts.append(
                running.enter_context(
                    subprocess.Popen(
                        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                    )
                )
            )
        for host in hosts:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n"
        for host in hosts:
            assert host.stdin is not None
            print("go", file=host.stdin, flush=True)
        assert [host.wait() for host in hosts] == [0, 0]
    rows = Catalog(Store(bucket.url)).table(["video_id", "number"])
    assert set(rows["video_id"].to_pylist()) == {f"{name}-{i}" for name in "ab" for i in range(CHANGES)}
    assert rows["number"].to_pylist() == list(range(2 * CHANGES))


def row(name: str) -> CatalogRow:
    """Return the row of a tour."""
    return CatalogRow(name, VideoSource(kind="tour", origin=f"tour://{ord(name)}"))


def test_a_catalog_that_stays_as_it_was_seen_changes_what_is_stored(bucket: Bucket, tmp_path: Path):
    seen, other = Catalog(Store(bucket.url), is_steady=True), Catalog(Store(bucket.url, tmp_path / "elsewhere"))
    assert seen.register([row("a")]) == ["a"]
    assert other.register([row("b")]) == ["b"]
    before = len(bucket.requests())
    assert seen.video_ids() == ["a"]
    assert seen.register([row("a")]) == []
    assert len(bucket.requests()) == before
    assert seen.register([row("a"), row("b"), row("c")]) == ["c"], "what another machine has added is known"
    assert seen.video_ids() == ["a", "b", "c"]
    other.update(["b"], lambda known: replace(known, title="by another"))
    seen.update(["b"], lambda known: replace(known, uploader=f"{known.title} machine"))
    assert seen.row("b").uploader == "by another machine"
    other.register([row("d")])
    seen.look_again()
    assert seen.video_ids() == ["a", "b", "c", "d"] == other.video_ids()


def test_files_of_a_catalog_are_got_once_a_machine(bucket: Bucket):
    Catalog(Store(bucket.url)).register([row("a"), row("b")])
    before = len(bucket.requests())
    assert Catalog(Store(bucket.url)).video_ids() == ["a", "b"]
    assert len(bucket.requests()) == before + 1, "its list"
