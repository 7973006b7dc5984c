"""Backend ``dust3r``: pointmaps of pairs of frames, aligned over a clip."""
