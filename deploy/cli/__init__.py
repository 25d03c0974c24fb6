"""The command `samspil`: one module per group of commands, each registered in main."""
