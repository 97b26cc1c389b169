"""One use case a module; the command line and every other front calls these."""
