"""``python -m training`` is ``youtube-occ train``, for ``torchrun``."""

from training.cli import main

if __name__ == "__main__":
    main()
