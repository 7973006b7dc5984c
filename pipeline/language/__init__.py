"""Language: regions and voxels of a dataset compared with any words, without running a network over pictures again."""
