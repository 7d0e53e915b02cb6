"""Who speaks: persons and their contributions to sessions."""
