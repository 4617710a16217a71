"""What is said: wire formats in, events and measures out. Values only; no I/O, no clock, no logging."""
