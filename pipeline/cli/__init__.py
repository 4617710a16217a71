"""The command `transferscope`: the one place that composes everything; imported by nobody."""
