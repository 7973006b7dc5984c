"""How finely surfaces are painted, for settings too, which load no pictures."""

TEXEL = 0.006
"""Metres between texels of indoor textures: 1.5 pixels of a 640-pixel picture at two metres."""
