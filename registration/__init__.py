"""Who comes: admissions, participants, registrations, the waiting list and figures."""
