"""The services of a stack: how each is prepared, started, asked whether it is ready, and reached."""
