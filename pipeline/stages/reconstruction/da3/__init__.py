"""Backend ``da3``: Depth Anything 3 on all frames of a clip at once, or on overlapping windows of them."""
