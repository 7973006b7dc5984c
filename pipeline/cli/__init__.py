"""The command line: ``youtube-occ``, or ``python -m pipeline``."""
