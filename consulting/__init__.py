"""Requests, proposals, contracts and deliveries: comes with its own issue."""
