"""Occupancy networks, and small networks that ship: datasets, losses, one loop, benchmarks.

``data``: samples of our store, NYUv2 and OccScanNet. ``teachers``: frozen networks to learn from. ``tasks`` and
``language``: what is learned. ``loop`` and ``runs``: how. ``scores`` and ``studies``: what it was worth. ``small``: the
recipes of the networks that ship. ``settings``: everything that can be set of a training.
"""
