"""Videos to dataset: the assets of a video and of the dataset, their jobs, sensors and checks."""
