"""Occupancy networks: datasets, losses, loops, benchmarks. Reads the store; knows nothing of how it was made.

``data``: samples of our store, NYUv2 and OccScanNet. ``distill`` and ``supervise``: what is learned. ``loop`` and
``runs``: how. ``metrics`` and ``study``: what it was worth. ``experiment``: the paper's experiment on rendered rooms.
"""
