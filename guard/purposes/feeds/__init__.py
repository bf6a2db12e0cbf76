"""What ticket systems send, turned into cases: one file each, pure functions, one registry.

An adapter takes the parsed payload and the name of the record source whose keys the ticket system
knows; it returns a `CasePut` or says which part of the payload is missing or wrong, by its place
and never by its value. It knows no clock, no store and no secret.
"""
