"""Which videos of the catalog today's sources name: it also holds those that other sources once listed."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.entries import SourceList
from pipeline.sources.video_source import LOCAL_KINDS, is_away, local_path, local_videos


@dataclass(frozen=True)
class NamedVideos:
    """What sources name.

    listings: names of the entries that have to be asked for their videos. origins: of the videos named by themselves.
    away: folders that are not there at the moment, each with a slash at its end: what was found in them stays named.
    """

    listings: frozenset[str]
    origins: frozenset[str]
    away: tuple[str, ...] = ()

    @classmethod
    def of(cls, listed: SourceList) -> "NamedVideos":
        """Return what sources name today; folders are looked into, nobody is asked.

        Raises:
            SettingsError: an entry cannot be understood.
        """
        local = [entry for entry in listed.entries if entry.kind in LOCAL_KINDS]
        listings = {entry.name for entry in listed.entries if entry.kind not in LOCAL_KINDS}
        away = [entry for entry in local if is_away(entry, listed.folder)]
        there = [entry for entry in local if entry not in away]
        origins = {video.origin for entry in there for video in local_videos(entry, listed.folder)}
        folders = tuple(f"{local_path(entry, listed.folder)}/" for entry in away)
        return cls(frozenset(listings), frozenset(origins), folders)

    def holds(self, row: CatalogRow) -> bool:
        """Tell whether a video is named."""
        return row.source.listed_by in self.listings or self._by_itself(row.source.origin)

    def lists(self, row: CatalogRow) -> bool:
        """Tell whether what the catalog notes as the source of a video is one of today."""
        return row.source.listed_by in self.listings if row.source.listed_by else self._by_itself(row.source.origin)

    def video_ids(self, catalog: Catalog) -> pa.Array:
        """Return the ids of the videos of a catalog that are named."""
        rows = catalog.table(["video_id", "origin", "source"])
        listed = pc.is_in(rows["source"], pa.array(sorted(self.listings), pa.string()))
        named = pc.is_in(rows["origin"], pa.array(sorted(self.origins), pa.string()))
        for folder in self.away:
            named = pc.or_(named, pc.starts_with(rows["origin"], folder))
        return rows["video_id"].filter(pc.or_(listed, named)).combine_chunks()

    def _by_itself(self, origin: str) -> bool:
        return origin in self.origins or origin.startswith(self.away)
