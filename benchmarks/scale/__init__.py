"""What more than one database would take: keys of shards, and a simulation."""
