"""The composition root: what is assembled, configured and run. Imports every other package; none imports it."""
