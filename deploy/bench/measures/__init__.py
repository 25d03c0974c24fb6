"""What is measured, by the letters of the table."""
