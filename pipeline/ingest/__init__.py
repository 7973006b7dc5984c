"""From sources to videos on disk: what sources list goes into the catalog, and what the catalog lists is fetched."""
