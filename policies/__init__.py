"""DECIDE: pure policy. Facts in, decisions out."""
