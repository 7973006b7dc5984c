"""Which videos of the catalog today's sources name: it also holds those that other sources once listed."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.entries import SourceList
from pipeline.sources.video_source import LOCAL_KINDS, local_videos


@dataclass(frozen=True)
class NamedVideos:
    """What sources name.

    listings: names of the entries that have to be asked for their videos. origins: of the videos named by themselves.
    """

    listings: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, listed: SourceList) -> "NamedVideos":
        """Return what sources name today; folders are looked into, nobody is asked.

        Raises:
            SettingsError: an entry cannot be understood.
        """
        local = [entry for entry in listed.entries if entry.kind in LOCAL_KINDS]
        listings = {entry.name for entry in listed.entries if entry.kind not in LOCAL_KINDS}
        origins = {video.origin for entry in local for video in local_videos(entry, listed.folder)}
        return cls(frozenset(listings), frozenset(origins))

    def holds(self, row: CatalogRow) -> bool:
        """Tell whether a video is named."""
        return row.source.listed_by in self.listings or row.source.origin in self.origins

    def lists(self, row: CatalogRow) -> bool:
        """Tell whether what the catalog notes as the source of a video is one of today."""
        return row.source.listed_by in self.listings if row.source.listed_by else row.source.origin in self.origins

    def video_ids(self, catalog: Catalog) -> pa.Array:
        """Return the ids of the videos of a catalog that are named."""
        rows = catalog.table(["video_id", "origin", "source"])
        listed = pc.is_in(rows["source"], pa.array(sorted(self.listings), pa.string()))
        named = pc.is_in(rows["origin"], pa.array(sorted(self.origins), pa.string()))
        return rows["video_id"].filter(pc.or_(listed, named)).combine_chunks()
