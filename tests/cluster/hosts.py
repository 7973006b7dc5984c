"""What a host does in a process of its own: ``python -m tests.cluster.hosts WHAT URL ...``."""

import sys

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store


def register(url: str, name: str, count: str) -> None:
    """Register videos one by one, and change each once."""
    catalog = Catalog(Store(url))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(count)):
        video_id = f"{name}-{number}"
        catalog.register([CatalogRow(video_id, VideoSource(kind="tour", origin=f"tour://{number + 1}"))])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
