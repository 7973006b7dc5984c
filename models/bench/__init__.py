"""Benchmarks of the networks: speed and memory beside what the hardware gives."""
