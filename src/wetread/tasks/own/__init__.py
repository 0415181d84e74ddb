"""tasks/own: a task of one's own: a TOML file becomes a Task value."""
