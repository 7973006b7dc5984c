"""Stage ``reconstruction``: cameras, intrinsics and depth of every clip, up to scale."""
