"""What leaves the house: durable messages and their delivery."""
