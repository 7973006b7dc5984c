"""Backend ``colmap_moge``: cameras and depth of ``colmap``, and MoGe-2's depth where matching tells nothing."""
