"""What happens: conferences, sessions, side events, rooms, organisations and countries."""
