"""The dataset on disk or in object storage: files and groups, whole or not at all."""
