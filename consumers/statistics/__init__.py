"""Counts for effect measurement: kept beside the cases, published once a year, so coarsely that nobody is in them."""
