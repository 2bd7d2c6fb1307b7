"""Raw rows out of CSV, JSON Lines, GeoJSON and Parquet."""
