"""``python -m models``: the command line of ``models.cli``."""

from models.cli import app

if __name__ == "__main__":
    app()
