"""Several machines that bring one file at the same moment agree on which video it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.duplicates.claims import first_with
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket

HOSTS, FILES = 4, 8


@pytest.mark.parametrize("where", ["bucket", "folder"])
def test_of_videos_that_bring_one_file_at_once_one_is_the_first(bucket: Bucket, tmp_path: Path, where: str):
    url = bucket.url if where == "bucket" else str(tmp_path / "data")
    together = Barrier(HOSTS)

    def bring(host: int) -> list[str]:
        catalog = Catalog(Store(url, tmp_path / f"scratch-{host}" if where == "bucket" else None))
        firsts = []
        for file in range(FILES):
            video_id, digest = f"host-{host}-file-{file}", f"{file:064x}"
            catalog.register([CatalogRow(video_id, VideoSource(kind="tour", origin=f"tour://{100 * host + file}"))])
            together.wait()
            catalog.update([video_id], lambda row, digest=digest: replace(row, sha256=digest))
            firsts.append(first_with(catalog, video_id, digest))
        return firsts

    with ThreadPoolExecutor(HOSTS) as pool:
        answers = list(zip(*pool.map(bring, range(HOSTS)), strict=True))
    assert [len(set(firsts)) for firsts in answers] == [1] * FILES
    assert [firsts[0].rpartition("-")[2] for firsts in answers] == [str(file) for file in range(FILES)]
