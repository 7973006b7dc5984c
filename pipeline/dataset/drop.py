"""Deletes what was built of a video: ``youtube-occ drop``."""

from dataclasses import replace

from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.drafts import remove_tree
from pipeline.store.store import Store


def drop_video(store: Store, catalog: Catalog, video_id: str) -> None:
    """Delete a video's folder and its work in progress; the catalog keeps the video, as one that is not built.

    What says that the video is built goes first, so that a process that dies half-way leaves nothing that counts.

    Raises:
        VideoLocked: another process works on it.
        SettingsError: the data folder is none of ours.
    """
    video = store.video(video_id)
    with video.locked():
        catalog.update([video_id], lambda row: replace(row, built=""))
        store.remove_folder(*video.folder)
        remove_tree(video.scratch)
