"""DELIVER: HTTP, console, worker, command line, and the wiring of every room."""
