"""What keeps a record true and secrets out of it."""
