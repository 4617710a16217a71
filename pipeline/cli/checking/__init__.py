"""What ``doctor`` looks at, a subject a module: services are asked in one part, and judged by pure functions."""
