"""`python -m bench`: one thread for everybody, set before any library wakes."""

import os

THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")

if __name__ == "__main__":
    os.environ.update({f"{name}_NUM_THREADS": "1" for name in THREADS})
    from bench.run import main

    raise SystemExit(main())
