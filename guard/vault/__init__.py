"""Keys: where they come from, what each one opens, and the only code that seals and opens."""
