"""Rooms that are no plain boxes: L-shaped ones, ceilings that slope, lofts with a gallery and a flight of steps."""
