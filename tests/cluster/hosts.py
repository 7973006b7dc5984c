"""What a host does in a process of its own: ``python -m tests.cluster.hosts WHAT URL ...``."""

import sys

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store


def say(word: str) -> None:
    """Tell the test how far this host is."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def register(url: str, name: str, count: str) -> None:
    """Register videos one by one."""
    catalog = Catalog(Store(url))
    say("ready")
    sys.stdin.readline()
    for number in range(int(count)):
        video_id = f"{name}-{number}"
        catalog.register([CatalogRow(video_id, VideoSource(kind="tour", origin=f"tour://{number + 1}"))])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
