"""How OpenStreetMap's ways become directed edges: the rules, the cut, the order, the download."""
