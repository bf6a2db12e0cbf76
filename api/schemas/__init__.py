"""The wire models: they describe requests and answers, and die at the edge."""
