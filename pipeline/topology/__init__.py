"""Where a host stands: site, country and VO endpoint, as they were at the time of the event."""
