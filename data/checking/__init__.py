"""Raw rows -> records: each value checked, each fault listed, nothing lost."""
