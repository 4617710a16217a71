"""Dumps of other information systems, read into statements of ours; ``formats`` knows them all."""
