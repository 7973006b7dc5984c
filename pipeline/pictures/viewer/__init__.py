"""A page that shows a clip in 3D, in any browser: one HTML file that loads nothing else and runs from ``file://``."""
