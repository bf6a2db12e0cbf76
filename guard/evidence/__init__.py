"""Evidence that leaves the house: a bundle that anybody checks offline, with nothing of ours."""
