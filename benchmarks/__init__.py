"""Benchmarks of text encoders: declared tasks and systems in, leaderboards out."""

__version__ = "0.1.0"
