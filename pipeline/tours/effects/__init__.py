"""What stands between a house and a film of it: lens, shutter, sensor, layout and encoder; all off by default.

``settings.EffectSettings`` says from which ranges a video draws; ``drawn.VideoEffects`` is what one video drew.
"""
