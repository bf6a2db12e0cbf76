"""NOTICE: access events in, findings out; no table, no route."""
