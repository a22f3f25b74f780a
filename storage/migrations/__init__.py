"""Migrations, run by alembic through `storage.base`. Never edited once released: a change is a new file in `versions`."""
