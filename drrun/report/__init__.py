"""What people and programs read: pure views of plans and runs, and renderers of these views."""
