"""Postgres: tables, migrations, what a batch loads and writes, what is read back. The only home of SQL."""
