"""People who walk through a room while it is filmed."""
