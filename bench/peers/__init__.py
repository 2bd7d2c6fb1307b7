"""Programs that the benchmarks measure beside ours."""
