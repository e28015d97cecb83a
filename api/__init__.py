"""The Flask service: HTTP in and out, and limits; what labels mean stands in the library."""
