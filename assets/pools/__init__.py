"""Who builds the videos of a batch: workers that stay, on this machine or on others."""
