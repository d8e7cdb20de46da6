"""`make chaos-cluster`: the same house on two PostgreSQLs, machines that fail one another, and the count."""
