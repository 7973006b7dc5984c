"""Networks and their weights. Knows nothing of videos, stores or orchestration."""
