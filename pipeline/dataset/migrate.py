"""Brings a dataset that earlier releases wrote to today's format: ``youtube-occ migrate``."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.contract.errors import CorruptStore, DiskFull, SettingsError, StorageFailed, VideoError
from pipeline.contract.progress import Progress, silent
from pipeline.dataset.card import write_card
from pipeline.dataset.croissant import CROISSANT, README
from pipeline.dataset.turns import writing
from pipeline.stages.damage import problem
from pipeline.store.description import FORMAT_VERSION
from pipeline.store.index import read_index, read_summary
from pipeline.store.migration import format_version, is_current, renew_group, renew_root, stored_groups
from pipeline.store.store import Store
from pipeline.store.video import VideoStore


class Migrated(NamedTuple):
    """What became of a video that was not of today's format: the groups that were renewed, or why it was left."""

    video_id: str
    groups: tuple[str, ...] = ()
    problem: str = ""


def migrate(store: Store, video_ids: Sequence[str], progress: Progress = silent) -> Iterator[Migrated]:
    """Yield the videos that are brought to today's format, and those that cannot be; others are not mentioned.

    A group is read whole and compared with its checksums before it is renewed, so that damage is never written down
    as sound. The root of a hierarchy, whose version tells that all is done, is written last.

    Raises:
        DiskFull: there is no room; every group is what it was or what it shall be.
    """
    for done, video_id in enumerate(video_ids):
        progress("migrate", done, len(video_ids), video_id)
        video = store.video(video_id)
        try:
            if format_version(video) == FORMAT_VERSION or not stored_groups(video):
                continue
            with video.locked():
                yield Migrated(video_id, tuple(_renewed(video)))
        except (DiskFull, StorageFailed):
            raise
        except (SettingsError, VideoError) as error:
            yield Migrated(video_id, problem=f"{error.code}: {error}")
    progress("migrate", len(video_ids), len(video_ids), "")


def describe_dataset(store: Store) -> bool:
    """Write ``README.md`` and ``croissant.json`` of a dataset that was indexed before they were; tell whether it was.

    Raises:
        CorruptStore: the index does not read back.
    """
    summary = read_summary(store)
    if summary is None or all(store.exists(*place) for place in (README, CROISSANT)):
        return False
    with writing(store) as ours:
        write_card(ours, summary, read_index(ours, ["video_id"])["video_id"].unique().to_pylist())
    return True


def _renewed(video: VideoStore) -> Iterator[str]:
    for group in stored_groups(video):
        if is_current(video, group):
            continue
        if said := problem(video, group):
            message = f"{said}: youtube-occ verify --set-aside moves it out of the way, then build the video again"
            raise CorruptStore(message, group)
        renew_group(video, group)
        yield group
    renew_root(video)
