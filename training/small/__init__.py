"""Small networks that ship, trained on rendered houses: ``python -m training.small dust3r|san|indoor``.

Training streams from the renderer (``pipeline.tours.views``), no picture is ever written to a file. Everything is a
function of the recipe and the step, so that a killed training goes on to the same result.
"""
