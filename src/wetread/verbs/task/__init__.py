"""verbs/task: a task's file is drafted from a label file and an index, checked, shown, listed."""
