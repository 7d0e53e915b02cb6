"""Releases: what organisers have published, which is what everybody else reads (docs/decisions/0011).

reading     which programme a query reads: the draft or what is published
tables      which tables a programme is made of
schema      the schemas in PostgreSQL that hold what is published
publishing  making a release; restoring: going back to one
changes     what is new between two releases; wording: the same in words
"""
