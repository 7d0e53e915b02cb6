"""What programs may read and write: places and figures for everybody, members and registrations with a token."""
