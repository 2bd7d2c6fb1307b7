"""What each command does: read, work out, write. One file a command."""
