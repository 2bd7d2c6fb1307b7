"""Measures rollby's router side by side with what a user would pick instead (docs/benchmarks.md)."""
