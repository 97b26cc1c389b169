"""Built-in probes, actions and sources of secrets."""
