"""Windows of links held column by column, and sums over them: what a matrix, a list or a series needs in a moment."""
