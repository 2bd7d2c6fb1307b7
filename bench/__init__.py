"""Measures rollby's router beside what a user would pick instead (docs/benchmarks.md)."""
