"""Stage ``indoor_clips``: which clips were filmed inside a house."""
