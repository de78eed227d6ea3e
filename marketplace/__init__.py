"""Listings, purchases, copies and paid answers: comes with its own issue."""
