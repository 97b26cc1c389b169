"""Text to model and back. Gets text, opens no file, contacts nobody."""
