"""Geometry that several stages share: planes, normals, voxels, and how far poses and depth are from the truth."""
