"""Stage ``occupancy``: depth, cameras and labels of a clip become one grid of labelled voxels a frame."""
