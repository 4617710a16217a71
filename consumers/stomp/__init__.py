"""Everything that speaks STOMP: the only folder that imports stomp.py."""
