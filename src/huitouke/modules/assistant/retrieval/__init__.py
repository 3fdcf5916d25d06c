"""Finding the knowledge entry that answers a question, and checking whether it does."""
