"""Backend ``colmap``: structure from motion, then dense depth by plane sweep; no weights."""
