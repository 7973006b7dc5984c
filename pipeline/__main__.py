"""``python -m pipeline`` is ``youtube-occ``."""

from pipeline.cli.app import main

if __name__ == "__main__":
    main()
