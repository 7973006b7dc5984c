"""Whether the deviation of a clip's scale keeps its word: clips whose true size is known, and what is said of it.

``python -m pipeline.quality.metres`` renders houses, or reads what was built of films with known truth, and prints how
wrong scales are and how often the truth lies within one and two deviations.
"""
