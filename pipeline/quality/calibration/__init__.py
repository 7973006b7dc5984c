"""What the signs of a reconstruction say of it: learned from clips whose cameras and depth are exactly known.

``python -m pipeline.quality.calibration`` films houses, spoils some of the films, reconstructs them, and fits the
coefficients of ``pipeline/stages/reconstruction/colmap/probability.json``.
"""
