"""What authors write, and what it means: values, runbooks, inventories, plans."""
