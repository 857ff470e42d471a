"""The folder of a sweep: its record, its lock, the table made of it, where it stands."""
