"""The live service: reports in, suggestions out."""
