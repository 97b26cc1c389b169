"""The rules: pure functions and values. No clock, no input or output, no thread."""
