"""What things are, and where they come from: records, errors, files, OpenStreetMap."""
