"""What a host does in a process of its own: ``python -m tests.cluster.hosts WHAT URL ...``."""

import sys
from pathlib import Path

from pipeline.contract.errors import LeaseLost, PipelineError, VideoLocked
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


def hold(url: str, scratch: str, lease_s: str, *video_ids: str) -> None:
    """Hold videos one after the other and write a note into each whenever told to, until told to leave it."""
    store = Store(url, Path(scratch))
    store.lease_s = float(lease_s)
    for video_id in video_ids:
        video, written = store.video(video_id), 0
        try:
            with video.locked():
                say(f"holds {video_id}")
                while sys.stdin.readline() == "write\n":
                    written += 1
                    video.write_json(f"{Path(scratch).name}.json", {"written": written})
                    say(f"wrote {written}")
            say(f"left {video_id}")
        except (VideoLocked, LeaseLost) as error:
            say(f"{error.code} {error}")


def fail(url: str) -> None:
    """Register a video and say how that ends."""
    try:
        register(url, "a", "1")
    except PipelineError as error:
        say(f"{error.code} {error}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
