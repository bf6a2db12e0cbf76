"""ENFORCE AND REMEMBER: the one way to a customer record, and the log of every use of it."""
