"""Use cases: what happens to people, teams, invitations and keys."""
