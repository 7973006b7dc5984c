"""Whether this machine can do what is asked of it, a line a question, before a batch finds out by itself."""
