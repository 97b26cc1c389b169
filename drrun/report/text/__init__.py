"""Views as text for a terminal; one kind of view a module."""
