"""Named weights: which there are, how they are fetched and kept, and how a file of them is read."""
