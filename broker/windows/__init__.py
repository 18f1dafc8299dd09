"""The mock single windows: plain functions, driven by their profile (``mappings/participants/<code>``)."""
