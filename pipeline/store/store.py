"""The dataset on disk or in object storage: ``<data>/videos/<video_id>/``, ``<data>/catalog/``, ``<data>/dataset/``."""

import os

from pipeline.store.files import Files
from pipeline.store.video import VIDEO_ID, VIDEOS, VideoStore

DATA_VARIABLE = "YOUTUBE_OCC_DATA"


def data_url(given: str | None = None) -> str:
    """Return where the dataset lies: as given, else ``YOUTUBE_OCC_DATA``, else ``./data``."""
    return given or os.environ.get(DATA_VARIABLE) or "data"


class Store(Files):
    """All videos of one data folder or bucket."""

    def video(self, video_id: str) -> VideoStore:
        """Return the files of one video, whether or not any exist yet; raises ``SettingsError`` for an unsafe id."""
        return VideoStore(self, video_id)

    def as_it_is(self) -> "SeenStore":
        """Return the store for one question: of a bucket every video that is looked at is listed once."""
        seen = object.__new__(SeenStore)
        vars(seen).update(vars(self), seen={})
        return seen

    def video_ids(self) -> list[str]:
        """Return the ids of all videos that have a folder, sorted."""
        return [name for name in self.names(VIDEOS) if VIDEO_ID.fullmatch(name)]


class SeenStore(Store):
    """A store whose videos stay as they were when they were first looked at: see ``VideoStore.as_it_is``."""

    seen: dict[str, VideoStore]

    def video(self, video_id: str) -> VideoStore:
        """Return the files of one video as they were seen."""
        if video_id not in self.seen:
            self.seen[video_id] = super().video(video_id).as_it_is()
        return self.seen[video_id]
