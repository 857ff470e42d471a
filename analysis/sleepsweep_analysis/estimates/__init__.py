"""What the posterior says, table by table, and what else was asked of the same rows."""
