"""The console: server-rendered pages for reviewers, auditors and the agents themselves."""
