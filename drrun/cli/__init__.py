"""What people type. Every command is a small front for one use case."""
