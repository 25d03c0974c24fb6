"""What is measured, each in a process of its own. The peers import nothing of samspil but the pure steps."""
