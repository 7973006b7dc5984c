"""Small networks that ship, trained on rendered houses: ``python -m training.small dust3r|san|indoor``.

Training streams from the renderer (``pipeline.tours.views``), no picture is ever written to a file. A recipe says what
is trained on what; the loop is that of all trainings (``training.loop``).
"""
