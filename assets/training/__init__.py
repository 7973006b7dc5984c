"""Networks trained on the dataset: assets, jobs and what they are given."""
