"""One file a peer: the same work, asked in the peer's own best way."""
