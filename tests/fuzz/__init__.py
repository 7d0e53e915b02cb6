"""The API against a program that makes requests up from its schema: see __main__."""
