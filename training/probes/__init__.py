"""Linear probes: what is in a network's features, asked without an optimiser's noise."""
