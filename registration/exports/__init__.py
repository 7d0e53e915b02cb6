"""Files about people that organisers take out: small ones in the request, large ones as long work (events.jobs)."""
