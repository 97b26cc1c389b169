"""SSH: connections that are reused, host keys that are checked, commands that are told apart."""
