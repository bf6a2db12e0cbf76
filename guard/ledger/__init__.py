"""The log: what an entry's bytes are, how they hash into one tree, and how anyone checks it."""
