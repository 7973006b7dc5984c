"""Speed and memory beside named baselines, as ratios within one run."""
