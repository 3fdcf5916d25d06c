"""A package, so that the database of its own ends with it."""
