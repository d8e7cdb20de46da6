"""The writer's commits as the tables grow."""
