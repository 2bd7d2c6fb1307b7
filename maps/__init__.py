"""How things look: folium maps that are complete without internet."""
