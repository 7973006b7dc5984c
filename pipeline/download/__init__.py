"""Stage ``video``: bring one video into a folder, verified, with what is known about it."""

from pipeline.download.arrival import Progress
from pipeline.download.fetch import DRAFTS, METADATA, VIDEO, fetch, read_source
from pipeline.download.settings import DownloadSettings

__all__ = ["DRAFTS", "METADATA", "VIDEO", "DownloadSettings", "Progress", "fetch", "read_source"]
