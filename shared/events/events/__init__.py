"""The prediction event and the names of the stream and keys that carry it."""
