"""What happens to the messages: pure stages, topology, store, simulator, local stack, command line."""
