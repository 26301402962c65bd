"""derive shows its work."""
