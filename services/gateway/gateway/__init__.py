"""The public door: serves the pages, takes photos, forwards them to inference, and passes the monitor's report on."""
