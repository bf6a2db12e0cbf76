"""Who is asking: credentials become principals here and nowhere else."""
