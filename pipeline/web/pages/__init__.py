"""The pages: HTML made here, from the answers that the API gives, whole without any script."""
