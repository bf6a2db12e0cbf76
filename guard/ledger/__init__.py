"""The Merkle log: hashing, entries, checkpoints and proofs."""
