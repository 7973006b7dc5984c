"""``python -m training``: pre-train, fine-tune, evaluate, export; also under ``torchrun``."""

from training.cli import main

if __name__ == "__main__":
    main()
