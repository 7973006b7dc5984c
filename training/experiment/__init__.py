"""The paper's label-efficiency experiment in miniature, on rendered rooms with exact grids.

The one part of training that knows how data are made: its benchmark is rendered, as the pipeline's sample input is.
"""
