"""What a new house is shown with: a real programme, invented people, a workshop to come, and a log-in."""
