"""Publishing snapshots to engines: PostgreSQL, Spark, Trino. What is published is a copy; the snapshot's own
files stay what it is."""
