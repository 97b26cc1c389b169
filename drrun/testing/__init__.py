"""What tests need in place of the world; shipped, and held to the contracts of the real things."""
