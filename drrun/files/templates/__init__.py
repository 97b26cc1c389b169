"""Templates: what they name, where they are safe, what they become."""
