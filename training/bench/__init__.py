"""Speed and memory of training beside named baselines."""
