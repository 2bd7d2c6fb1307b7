"""Pages for people: what they show comes from the API, by scripts of our own."""
