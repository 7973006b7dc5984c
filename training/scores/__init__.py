"""What a prediction is worth: the benchmark's metrics, and a picture of it."""
