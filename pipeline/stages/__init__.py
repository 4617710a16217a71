"""What happens to a batch, as pure functions: decode, pair, fold into windows, decide. No I/O, no clock, no logging."""
