"""Synthetic people: who they are, how they move, how a camera sees them, and two ways to forge them."""
