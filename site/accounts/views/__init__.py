"""The pages of people, teams, invitations and keys. A view fetches, checks a form, calls one service and answers."""
