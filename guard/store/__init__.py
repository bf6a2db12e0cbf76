"""The only SQL: everything that the ports of `guard.ports` ask of a store, on two engines."""
