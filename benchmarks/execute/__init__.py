"""The executors: they make RunSpecs into stored results, one process or many; they know results, not models."""
