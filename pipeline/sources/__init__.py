"""From a line of ``sources.yaml`` to a row of the catalog, and what may be asked of the web."""
