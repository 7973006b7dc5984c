"""Open-vocabulary occupancy after POP-3D (Vobecky et al., NeurIPS 2023): which voxels are occupied, and in what words.

``embeddings``: what the regions of a dataset say. ``task``: how a network learns it. ``speaker``: what it then says of
a picture. ``words``: what it is compared with. ``zero_shot``: the benchmark's score. ``heat``: one query as a picture.
"""
