"""What must stay secret, planted and searched for."""
