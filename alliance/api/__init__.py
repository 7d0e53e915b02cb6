"""What all resources of the API share (docs/design.md section 6, docs/api.md).

router    addresses, from dotted names: this package imports none of the apps
views     the base of every public resource: read-only, strict about its parameters
filters   query parameters: how each is checked and what the schema says of it
paging    pages by cursor, stable while rows come and go
shape     fewer members, or whole things instead of names
fields    how texts in several languages and instants are written
schema    OpenAPI: what every operation has in common
cors      other sites' pages may read what is public
"""
