"""Occupancy networks: datasets, losses, loops, benchmarks. Reads the store; knows nothing of how it was made.

Empty so far: the metric that its benchmarks will share with the quality report is ``pipeline.occupancy_metrics``.
"""
